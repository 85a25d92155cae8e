//go:build tools

// Package kwok names the program that the lab builds, so that go.sum covers what it is made of.
package kwok

import _ "sigs.k8s.io/kwok/cmd/kwok"
