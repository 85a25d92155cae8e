//go:build tools

// Package jobset names the program that the lab builds, so that go.sum covers what it is made of.
package jobset

import _ "sigs.k8s.io/jobset"
