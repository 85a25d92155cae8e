//go:build tools

// Package argoworkflows names the program that the lab builds, so that go.sum covers what it is made of.
package argoworkflows

import _ "github.com/argoproj/argo-workflows/v3/cmd/workflow-controller"
