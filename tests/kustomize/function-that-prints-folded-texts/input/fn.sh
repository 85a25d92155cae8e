#!/bin/sh
# Writes folded texts with lines that are further in: into fields that were there, new ones, items of lists, and a new resource.
sed -e '/^functionConfig:/,$d' -e 's/^    a: b/    a: >\n      one\n      two\n        more\n\n        less\n\n      end\n    new: >\n      one\n        two\n\n      three/' \
  -e 's/^        containers:/&\n        - name: first\n          note: >\n            one\n              two\n\n            three/' \
  -e 's/^          - b$/          - >\n            one\n              two\n\n            three/'
cat <<EOF
- apiVersion: v1
  kind: ConfigMap
  metadata: {name: new}
  data:
    a: >
      one
        two

      three
EOF
