//go:build tools

// Package kserve names the program that the lab builds, so that go.sum covers what it is made of.
package kserve

import _ "github.com/kserve/kserve/cmd/manager"
