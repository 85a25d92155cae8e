// The controllers of cert-manager that are on by default, with the flags that the bundle uses.
package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"

	enabled "github.com/cert-manager/cert-manager/internal/apis/config/controller/v1alpha1"
	"github.com/cert-manager/cert-manager/pkg/controller"
	"github.com/cert-manager/cert-manager/pkg/controller/configfile"
	"github.com/cert-manager/cert-manager/pkg/healthz"
	"github.com/cert-manager/cert-manager/pkg/logs"
	"github.com/spf13/pflag"
	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	ctrl "sigs.k8s.io/controller-runtime"

	_ "github.com/cert-manager/cert-manager/pkg/issuer/acme"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/ca"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/selfsigned"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/vault"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/venafi"
)

// An empty file, to which the library adds its defaults.
const defaults = "apiVersion: controller.config.cert-manager.io/v1alpha1\nkind: ControllerConfiguration\n"

func run(ctx context.Context) error {
	file := configfile.New()
	if err := file.DecodeAndConfigure([]byte(defaults)); err != nil {
		return err
	}
	config := file.Config
	flags := pflag.CommandLine
	logs.AddFlags(&config.Logging, flags)
	election, solver := &config.LeaderElectionConfig, &config.ACMEHTTP01Config
	flags.StringVar(&config.ClusterResourceNamespace, "cluster-resource-namespace", config.ClusterResourceNamespace, "where Secrets of cluster issuers are")
	flags.StringVar(&election.Namespace, "leader-election-namespace", election.Namespace, "where the lease is")
	flags.StringVar(&solver.SolverImage, "acme-http01-solver-image", solver.SolverImage, "what answers challenges")
	flags.IntVar(&config.MaxConcurrentChallenges, "max-concurrent-challenges", config.MaxConcurrentChallenges, "challenges at once")
	pflag.Parse()
	if err := logs.ValidateAndApply(&config.Logging); err != nil {
		return err
	}
	ctrl.SetLogger(logs.Log)

	shim := config.IngressShimConfig
	factory, err := controller.NewContextFactory(ctx, controller.ContextOptions{
		KubernetesAPIQPS:   config.KubernetesAPIQPS,
		KubernetesAPIBurst: config.KubernetesAPIBurst,
		IssuerOptions: controller.IssuerOptions{
			ClusterIssuerAmbientCredentials: config.ClusterIssuerAmbientCredentials,
			ClusterResourceNamespace:        config.ClusterResourceNamespace,
		},
		ACMEOptions: controller.ACMEOptions{
			HTTP01SolverImage:                 solver.SolverImage,
			HTTP01SolverResourceRequestCPU:    resource.MustParse(solver.SolverResourceRequestCPU),
			HTTP01SolverResourceRequestMemory: resource.MustParse(solver.SolverResourceRequestMemory),
			HTTP01SolverResourceLimitsCPU:     resource.MustParse(solver.SolverResourceLimitsCPU),
			HTTP01SolverResourceLimitsMemory:  resource.MustParse(solver.SolverResourceLimitsMemory),
			ACMEHTTP01SolverRunAsNonRoot:      solver.SolverRunAsNonRoot,
			DNS01CheckRetryPeriod:             config.ACMEDNS01Config.CheckRetryPeriod,
		},
		IngressShimOptions: controller.IngressShimOptions{
			DefaultIssuerKind:                 shim.DefaultIssuerKind,
			DefaultIssuerGroup:                shim.DefaultIssuerGroup,
			DefaultAutoCertificateAnnotations: shim.DefaultAutoCertificateAnnotations,
		},
		CertificateOptions: controller.CertificateOptions{
			CopiedAnnotationPrefixes:                 config.CopiedAnnotationPrefixes,
			CertificateRequestMinimumBackoffDuration: config.CertificateRequestMinimumBackoffDuration,
			CertificateRequestMaximumBackoffDuration: config.CertificateRequestMaximumBackoffDuration,
		},
		SchedulerOptions: controller.SchedulerOptions{MaxConcurrentChallenges: config.MaxConcurrentChallenges},
	})
	if err != nil {
		return err
	}
	all, err := factory.Build()
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)

	health, metrics := healthz.NewServer(election.HealthzTimeout), all.Metrics
	for address, serve := range map[string]func(net.Listener) error{
		config.HealthzListenAddress: func(listener net.Listener) error { return health.Start(ctx, listener) },
		config.MetricsListenAddress: func(listener net.Listener) error { return metrics.NewServer(listener).Serve(listener) },
	} {
		listener, err := net.Listen("tcp", address)
		if err != nil {
			return err
		}
		group.Go(func() error {
			if err := serve(listener); err != http.ErrServerClosed {
				return err
			}
			return nil
		})
	}
	lease := leaderelection.LeaderElectionConfig{
		LeaseDuration:   election.LeaseDuration,
		RenewDeadline:   election.RenewDeadline,
		RetryPeriod:     election.RetryPeriod,
		ReleaseOnCancel: true,
		WatchDog:        health.LeaderHealthzAdaptor,
	}
	if err := elect(ctx, factory, election.Namespace, lease); err != nil {
		return err
	}
	for name, construct := range controller.Known() {
		if !slices.Contains(enabled.DefaultEnabledControllers, name) {
			continue
		}
		one, err := construct(factory)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		group.Go(func() error { return one.Run(config.NumberOfConcurrentWorkers, ctx) })
	}
	all.SharedInformerFactory.Start(ctx.Done())
	all.KubeSharedInformerFactory.Start(ctx.Done())
	all.HTTP01ResourceMetadataInformersFactory.Start(ctx.Done())
	return group.Wait()
}

// Returns once this process is the leader; it ends when it no longer is.
func elect(ctx context.Context, factory *controller.ContextFactory, namespace string, config leaderelection.LeaderElectionConfig) error {
	own, err := factory.Build("leader-election")
	if err != nil {
		return err
	}
	host, err := os.Hostname()
	if err != nil {
		return err
	}
	config.Lock, err = resourcelock.New(resourcelock.LeasesResourceLock, namespace, "cert-manager-controller",
		own.Client.CoreV1(), own.Client.CoordinationV1(), resourcelock.ResourceLockConfig{Identity: host, EventRecorder: own.Recorder})
	if err != nil {
		return err
	}
	elected := make(chan struct{})
	config.Callbacks = leaderelection.LeaderCallbacks{
		OnStartedLeading: func(context.Context) { close(elected) },
		OnStoppedLeading: func() {
			if ctx.Err() == nil {
				fmt.Fprintln(os.Stderr, "the lease is lost")
				os.Exit(1)
			}
		},
	}
	elector, err := leaderelection.NewLeaderElector(config)
	if err != nil {
		return err
	}
	go elector.Run(ctx)
	select {
	case <-elected:
	case <-ctx.Done():
	}
	return ctx.Err()
}

func main() {
	if err := run(ctrl.SetupSignalHandler()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
