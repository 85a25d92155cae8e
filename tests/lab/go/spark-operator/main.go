// The operator of Spark with the subcommands that the bundle starts, and what its image has beside it: a `spark-submit`. Spark's own is
// written in Scala. This one makes the objects that Spark's makes, with the rights of the operator's account: the pod of the driver,
// and a service and a config map that the pod owns.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/kubeflow/spark-operator/v2/cmd/operator/controller"
	"github.com/kubeflow/spark-operator/v2/cmd/operator/webhook"
	"github.com/spf13/cobra"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	apply "k8s.io/client-go/applyconfigurations/core/v1"
	applymeta "k8s.io/client-go/applyconfigurations/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

const (
	// Where volumes of both programs may be written.
	home    = "/tmp/spark"
	program = "spark-submit"
	prefix  = "spark.kubernetes."
)

func main() {
	run := operate
	if filepath.Base(os.Args[0]) == program {
		run = submit
	}
	if err := run(os.Args); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func operate(arguments []string) error {
	if err := os.MkdirAll(filepath.Join(home, "bin"), 0o755); err != nil {
		return err
	}
	if err := os.Symlink(arguments[0], filepath.Join(home, "bin", program)); err != nil && !os.IsExist(err) {
		return err
	}
	if err := os.Setenv("SPARK_HOME", home); err != nil {
		return err
	}
	command := &cobra.Command{Use: "spark-operator"}
	command.AddCommand(controller.NewCommand(), webhook.NewCommand())
	return command.Execute()
}

// The settings of a call, and what follows them: the program to run and its arguments.
func read(arguments []string) (map[string]string, []string) {
	settings := map[string]string{}
	for len(arguments) > 1 && strings.HasPrefix(arguments[0], "--") {
		if arguments[0] == "--conf" {
			key, value, _ := strings.Cut(arguments[1], "=")
			settings[key] = value
		}
		arguments = arguments[2:]
	}
	return settings, arguments
}

// The settings below a name, without it.
func below(settings map[string]string, name string) map[string]string {
	found := map[string]string{}
	for key, value := range settings {
		if rest, is := strings.CutPrefix(key, name); is {
			found[rest] = value
		}
	}
	return found
}

func submit(arguments []string) error {
	settings, application := read(arguments[1:])
	config, err := rest.InClusterConfig()
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	ctx, namespace, name := context.Background(), settings[prefix+"namespace"], settings[prefix+"driver.pod.name"]
	labels := below(settings, prefix+"driver.label.")
	labels["spark-role"] = "driver"
	pod := &core.Pod{
		ObjectMeta: meta.ObjectMeta{Name: name, Labels: labels, Annotations: below(settings, prefix+"driver.annotation.")},
		Spec: core.PodSpec{
			RestartPolicy:      core.RestartPolicyNever,
			ServiceAccountName: settings[prefix+"authenticate.driver.serviceAccountName"],
			Containers: []core.Container{{
				Name:  "spark-kubernetes-driver",
				Image: settings[prefix+"driver.container.image"],
				Args:  append([]string{"driver"}, application...),
			}},
		},
	}
	pod, err = client.CoreV1().Pods(namespace).Create(ctx, pod, meta.CreateOptions{})
	if err != nil {
		return err
	}
	owner := applymeta.OwnerReference().WithAPIVersion("v1").WithKind("Pod").WithName(name).WithUID(pod.UID).WithController(true)
	options := meta.ApplyOptions{FieldManager: program, Force: true}
	service := apply.Service(name+"-svc", namespace).WithOwnerReferences(owner).WithSpec(
		apply.ServiceSpec().WithClusterIP(core.ClusterIPNone).WithSelector(labels).
			WithPorts(apply.ServicePort().WithName("driver-rpc-port").WithPort(7078)))
	if _, err := client.CoreV1().Services(namespace).Apply(ctx, service, options); err != nil {
		return err
	}
	configuration := apply.ConfigMap(name+"-conf-map", namespace).WithOwnerReferences(owner).
		WithData(map[string]string{"spark.properties": strings.Join(arguments[1:], "\n")})
	_, err = client.CoreV1().ConfigMaps(namespace).Apply(ctx, configuration, options)
	return err
}
