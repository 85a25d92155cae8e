#!/bin/sh
sed -e 's/image: web:v1/image: seen-after-the-prefix/' -e 's/name: second-first-settings$/name: renamed/'
