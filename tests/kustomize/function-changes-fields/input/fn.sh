#!/bin/sh
sed -e 's/image: web:v1/image: web:v2/' -e 's/replicas: 1/replicas: 3/'
