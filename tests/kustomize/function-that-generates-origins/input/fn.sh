#!/bin/sh
cat >/dev/null
cat <<EOF
apiVersion: v1
kind: ConfigMap
metadata:
  name: own-origin
  annotations:
    config.kubernetes.io/origin: |
      path: from/elsewhere.yaml
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: no-origin
  annotations:
    alpha.config.kubernetes.io/transformations: |
      - path: from-y
EOF
