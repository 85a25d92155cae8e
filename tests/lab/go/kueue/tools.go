//go:build tools

// Package kueue names the program that the lab builds, so that go.sum covers what it is made of.
package kueue

import _ "sigs.k8s.io/kueue/cmd/kueue"
