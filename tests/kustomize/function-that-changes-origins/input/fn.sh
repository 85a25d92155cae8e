#!/bin/sh
# Prints resources with origins of its own, or without any.
cat >/dev/null
cat <<EOF
apiVersion: v1
kind: ConfigMap
metadata:
  name: p-dropped
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: p-changed
  annotations:
    config.kubernetes.io/origin: "path: other.yaml # here\nmore: 1\n"
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: new
  annotations:
    config.kubernetes.io/origin: ""
    alpha.config.kubernetes.io/transformations: "- {path: x, configuredBy: {kind: A, apiVersion: b}, more: 1}\n"
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: steps
  annotations:
    alpha.config.kubernetes.io/transformations: |
      - path: from-y
        repo: https://example.com/r
        ref: v1
EOF
