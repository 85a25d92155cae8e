#!/bin/sh
sed -e '/previous/d' -e '/prefixes:/d'
