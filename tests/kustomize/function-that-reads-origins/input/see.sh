#!/bin/sh
# Prints what it reads, and a config map with what that says of origins.
input=$(cat)
see() { printf '%s\n' "$input" | grep -v -e internal -e '\./' | sed -n -e "s/^ *$1: //p" | tr -d "'\"|" | tr '\n' ' '; }
data="path: '$(see path)', in: '$(see configuredIn)', by: '$(see kind)'"
printf '%s\n' "$input" | sed -e "s|^functionConfig:|- {apiVersion: v1, kind: ConfigMap, metadata: {name: seen-$1}, data: {$data}}\\
&|"
