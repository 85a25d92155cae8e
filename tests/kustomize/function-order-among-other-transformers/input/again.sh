#!/bin/sh
sed -e 's/seen-after-the-prefix/seen-by-both/'
