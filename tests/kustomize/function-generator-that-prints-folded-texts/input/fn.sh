#!/bin/sh
# Writes folded texts with lines that are further in, as many line breaks at the end as each mark keeps, and an indented first line.
cat >/dev/null
cat <<EOF
apiVersion: config.kubernetes.io/v1
kind: ResourceList
items:
- apiVersion: v1
  kind: ConfigMap
  metadata: {name: made}
  data:
    clipped: >
      one
      two
        more

        less

      end
    stripped: >-
      one
        two
      three
    kept: >+
      one

      two


    first: >2
        one
      two
    literal: |
      one
        two
- apiVersion: v1
  kind: Pod
  metadata: {name: made}
  spec:
    containers:
    - name: a
      image: a
      args:
      - >
        one
          two

        three
EOF
