//go:build suite

// Package krusty, in a copy of kustomize's module whose tests run with `-tags suite`: there, Run is called run, and this one keeps
// what each test builds, and what it gets. A case is a directory in $KFC_SUITE: `tree` has the files, `root` the path that is
// built, `flags` the options, `test` the name of the test, and `expected.yaml` or `refused` the result.
package krusty

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"

	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

var cases atomic.Int64

// Run builds a root and keeps the case.
func (b *Kustomizer) Run(fSys filesys.FileSystem, path string) (resmap.ResMap, error) {
	m, err := b.run(fSys, path)
	directory := filepath.Join(os.Getenv("KFC_SUITE"), fmt.Sprintf("%04d", cases.Add(1)))
	must(b.keep(directory, fSys, path, m, err))
	return m, err
}

func (b *Kustomizer) keep(directory string, fSys filesys.FileSystem, path string, m resmap.ResMap, failure error) error {
	top, root := "/", strings.Trim(path, "/")
	if strings.HasSuffix(fmt.Sprintf("%T", fSys), "fsOnDisk") {
		absolute, err := filepath.Abs(path)
		temporary := os.TempDir() + "/"
		if err != nil || !strings.HasPrefix(absolute, temporary) {
			return os.MkdirAll(directory, 0o755)
		}
		first, rest, _ := strings.Cut(strings.TrimPrefix(absolute, temporary), "/")
		top, root = temporary+first, rest
	}
	tree := filepath.Join(directory, "tree")
	err := fSys.Walk(top, func(file string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		content, err := fSys.ReadFile(file)
		if err != nil {
			return err
		}
		return write(filepath.Join(tree, strings.TrimPrefix(file, top)), content)
	})
	must(err)
	must(write(filepath.Join(directory, "root"), []byte(root)))
	must(write(filepath.Join(directory, "test"), []byte(test())))
	must(write(filepath.Join(directory, "flags"), []byte(strings.Join(b.flags(), "\n"))))
	var output []byte
	if failure == nil {
		output, failure = m.AsYaml()
	}
	if failure != nil {
		return write(filepath.Join(directory, "refused"), []byte(failure.Error()))
	}
	return write(filepath.Join(directory, "expected.yaml"), output)
}

// flags are the options, as the program takes them.
func (b *Kustomizer) flags() []string {
	var flags []string
	if b.options.LoadRestrictions == types.LoadRestrictionsNone {
		flags = append(flags, "--load-restrictor=LoadRestrictionsNone")
	}
	if b.options.AddManagedbyLabel {
		flags = append(flags, "--enable-managedby-label")
	}
	if b.options.Reorder != ReorderOptionUnspecified {
		flags = append(flags, "--reorder="+string(b.options.Reorder))
	}
	if b.options.PluginConfig.HelmConfig.Enabled {
		flags = append(flags, "--enable-helm")
	}
	return flags
}

// test is the name of the running test.
func test() string {
	var callers [64]uintptr
	frames := runtime.CallersFrames(callers[:runtime.Callers(1, callers[:])])
	for {
		frame, more := frames.Next()
		if _, name, found := strings.Cut(frame.Function, ".Test"); found {
			return "Test" + name
		}
		if !more {
			return ""
		}
	}
}

func write(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, content, 0o600)
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
