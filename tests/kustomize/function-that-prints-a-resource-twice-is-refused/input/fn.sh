#!/bin/sh
cat >/dev/null
echo 'apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: A, metadata: {name: a}}
- {apiVersion: v1, kind: A, metadata: {name: a}}'
