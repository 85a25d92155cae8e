#!/bin/sh
echo 'apiVersion: v1'
echo 'kind: ConfigMap'
echo 'metadata: {name: seen}'
echo 'data:'
echo '  input: |'
tr -d "'\"" | LC_ALL=C sort | sed -e 's/^/    |/'
