#!/bin/sh
echo "${HOME:-none} ${domain}"
