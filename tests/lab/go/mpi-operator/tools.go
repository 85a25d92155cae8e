//go:build tools

// Package mpioperator names the program that the lab builds, so that go.sum covers what it is made of.
package mpioperator

import _ "github.com/kubeflow/mpi-operator/cmd/mpi-operator"
