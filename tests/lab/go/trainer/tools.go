//go:build tools

// Package trainer names the program that the lab builds, so that go.sum covers what it is made of.
package trainer

import _ "github.com/kubeflow/trainer/v2/cmd/trainer-controller-manager"
