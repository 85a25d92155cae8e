//go:build tools

// Package katib names the program that the lab builds, so that go.sum covers what it is made of.
package katib

import _ "github.com/kubeflow/katib/cmd/katib-controller/v1beta1"
import _ "github.com/kubeflow/katib/cmd/db-manager/v1beta1"
import _ "github.com/kubeflow/katib/cmd/suggestion/goptuna/v1beta1"
