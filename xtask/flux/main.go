// Builds a tree as Flux's kustomize-controller does, with the packages that it is made of: TREE, the path of the root in it, and a file
// with the object of the kind Kustomization. Prints the objects in the order of the build.
package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/fluxcd/pkg/kustomize"
	"github.com/fluxcd/pkg/ssa/utils"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

func build(tree, path, file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	object := unstructured.Unstructured{}
	if err := yaml.Unmarshal(text, &object.Object); err != nil {
		return err
	}
	root := filepath.Join(tree, path)
	if _, err := kustomize.NewGenerator(tree, object).WriteFile(root); err != nil {
		return err
	}
	built, err := kustomize.SecureBuild(tree, root, false)
	if err != nil {
		return err
	}
	for _, resource := range built.Resources() {
		// Without a cluster, `substituteFrom` is left out.
		changed, err := kustomize.SubstituteVariables(context.Background(), nil, object, resource, kustomize.SubstituteWithDryRun(true))
		if err != nil {
			return err
		}
		if changed != nil {
			if _, err := built.Replace(resource); err != nil {
				return err
			}
		}
	}
	bundle, err := built.AsYaml()
	if err != nil {
		return err
	}
	labels, _, _ := unstructured.NestedStringMap(object.Object, "spec", "commonMetadata", "labels")
	annotations, _, _ := unstructured.NestedStringMap(object.Object, "spec", "commonMetadata", "annotations")
	objects, err := utils.ReadObjects(bytes.NewReader(bundle))
	if err != nil {
		return err
	}
	utils.SetCommonMetadata(objects, labels, annotations)
	for at, object := range objects {
		text, err := yaml.Marshal(object.Object)
		if err != nil {
			return err
		}
		if at > 0 {
			fmt.Println("---")
		}
		fmt.Print(string(text))
	}
	return nil
}

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: flux TREE PATH FILE")
		os.Exit(2)
	}
	if err := build(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
