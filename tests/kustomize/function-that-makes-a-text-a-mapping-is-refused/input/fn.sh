#!/bin/sh
sed -e 's/^    a: b/    a: {x: y}/'
