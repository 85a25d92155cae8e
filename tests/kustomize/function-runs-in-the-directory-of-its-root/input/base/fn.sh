#!/bin/sh
mark=$(cat data)
sed -e "s/$mark: MARK/$mark: 'ran in $mark'/"
