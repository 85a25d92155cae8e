//go:build tools

// Package kubernetes names the program that the lab builds, so that go.sum covers what it is made of.
package kubernetes

import _ "k8s.io/kubernetes/cmd/kube-apiserver"
