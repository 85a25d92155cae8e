#!/bin/sh
cat >/dev/null
echo 'items: [a]'
