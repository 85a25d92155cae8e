//go:build tools

// Package trainingoperator names the program that the lab builds, so that go.sum covers what it is made of.
package trainingoperator

import _ "github.com/kubeflow/training-operator/cmd/training-operator.v1"
