#!/bin/sh
# What it reads, as data: sorted, without quotes, as these differ between writers of YAML.
echo 'apiVersion: v1'
echo 'kind: ConfigMap'
echo 'metadata: {name: seen}'
echo 'data:'
echo "  arguments: '$# $1/$2 $MARK'"
echo '  input: |'
tr -d "'\"" | LC_ALL=C sort | sed -e 's/^/    |/'
