// Command kustomize answers builds of the real kustomize from one process: its own command, run again and again, without the
// tenth of a second that a process needs to read the schemas of Kubernetes. Each line of standard input is the arguments of
// `kustomize build`, separated by tabs. The answer is a line `built LENGTH` or `refused LENGTH`, then so many bytes: the output, or
// the error. With the argument `fields`, it prints the path of each field of a kustomization.
package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"log"
	"os"
	"reflect"
	"runtime/debug"
	"strings"

	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kustomize/v5/commands/build"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/kustomize/kyaml/openapi"
)

// run builds a root as a new process would. A panic, with which the program would end, is an error, too.
func run(arguments []string) (output []byte, err error) {
	schema := openapi.GetSchemaVersion()
	defer func() {
		if panicked := recover(); panicked != nil {
			output, err = nil, fmt.Errorf("panic: %v\n%s", panicked, debug.Stack())
		}
		// The schemas are variables of the process; a tree that names its own must not change the next one.
		if openapi.GetSchemaVersion() != schema {
			openapi.ResetOpenAPI()
		}
	}()
	var written bytes.Buffer
	command := build.NewCmdBuild(filesys.MakeFsOnDisk(), build.MakeHelp("kustomize", "build"), &written)
	command.SetArgs(arguments)
	command.SilenceErrors = true
	command.SetErr(io.Discard)
	err = command.Execute()
	return written.Bytes(), err
}

// fields prints the paths of all fields below a type, as the names in files.
func fields(of reflect.Type, path string) {
	switch of.Kind() {
	case reflect.Pointer:
		fields(of.Elem(), path)
	case reflect.Slice:
		fields(of.Elem(), path+"[]")
	case reflect.Struct:
		for i := range of.NumField() {
			field := of.Field(i)
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			switch {
			case !field.IsExported() || name == "-":
			case name == "":
				fields(field.Type, path)
			default:
				fields(field.Type, strings.TrimPrefix(path+"."+name, "."))
			}
		}
	default:
		fmt.Println(path)
	}
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "fields" {
		fields(reflect.TypeOf(types.Kustomization{}), "")
		return
	}
	log.SetOutput(io.Discard)
	requests := bufio.NewScanner(os.Stdin)
	for requests.Scan() {
		output, err := run(strings.Split(requests.Text(), "\t"))
		word := "built"
		if err != nil {
			word, output = "refused", []byte(err.Error())
		}
		fmt.Printf("%s %d\n%s", word, len(output), output)
	}
}
