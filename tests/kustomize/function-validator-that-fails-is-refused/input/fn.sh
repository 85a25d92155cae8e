#!/bin/sh
cat
echo "the Deployment has one replica" >&2
exit 1
