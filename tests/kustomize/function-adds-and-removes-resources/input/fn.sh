#!/bin/sh
cat >/dev/null
cat <<END
apiVersion: config.kubernetes.io/v1
kind: ResourceList
items:
- {apiVersion: v1, kind: Service, metadata: {name: added}, spec: {ports: [{port: 80}]}}
- apiVersion: v1
  kind: ConfigMap
  metadata: {name: settings, annotations: {config.kubernetes.io/index: '7', note: kept}}
  data: {a: new, n: "1"}
END
