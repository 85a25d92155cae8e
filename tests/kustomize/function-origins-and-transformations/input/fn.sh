#!/bin/sh
sed -e 's/^functionConfig:/- {apiVersion: v1, kind: B, metadata: {name: added}}\nfunctionConfig:/'
