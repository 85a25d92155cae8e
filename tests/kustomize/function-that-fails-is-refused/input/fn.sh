#!/bin/sh
cat
echo "no such thing" >&2
exit 3
