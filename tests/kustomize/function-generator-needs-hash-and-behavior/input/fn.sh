#!/bin/sh
cat >/dev/null
cat <<END
apiVersion: config.kubernetes.io/v1
kind: ResourceList
items:
- apiVersion: v1
  kind: ConfigMap
  metadata:
    name: hashed
    annotations: {kustomize.config.k8s.io/needs-hash: "true", own: stays}
  data: {a: b}
- apiVersion: v1
  kind: ConfigMap
  metadata:
    name: settings
    annotations: {kustomize.config.k8s.io/behavior: merge}
  data: {lines: changed}
- apiVersion: v1
  kind: Secret
  metadata:
    name: plain
    annotations: {kustomize.config.k8s.io/needs-hash: "false"}
  stringData: {a: b}
END
