#!/bin/sh
cat >/dev/null
echo '{apiVersion: v1, kind: A, metadata: {name: a}}'
echo ---
echo '{apiVersion: v1, kind: B, metadata: {name: b}}'
