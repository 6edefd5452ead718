package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/klog/v2"
)

// What a cloud would do for Services of type LoadBalancer: each gets an address of the range, which kube-proxy serves.
type loadBalancer struct {
	client kubernetes.Interface
	prefix netip.Prefix
	store  cache.Store
	queue  workqueue.TypedRateLimitingInterface[string]
	// Which Service has an address. The store cannot say: its watch may be behind what was just written.
	given map[string]string
}

func newLoadBalancerCommand() *cobra.Command {
	var kubeconfig, addresses string
	command := &cobra.Command{
		Use:          "load-balancer",
		Short:        "Gives addresses to Services of type LoadBalancer.",
		SilenceUsage: true,
		RunE: func(*cobra.Command, []string) error {
			prefix, err := netip.ParsePrefix(addresses)
			if err != nil {
				return err
			}
			config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
			if err != nil {
				return err
			}
			client, err := kubernetes.NewForConfig(config)
			if err != nil {
				return err
			}
			ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			return serveLoadBalancers(ctx, client, prefix)
		},
	}
	command.Flags().StringVar(&kubeconfig, "kubeconfig", "", "how to reach the API server")
	command.Flags().StringVar(&addresses, "addresses", "10.244.200.0/24", "the range to give addresses from")
	return command
}

func serveLoadBalancers(ctx context.Context, client kubernetes.Interface, prefix netip.Prefix) error {
	factory := informers.NewSharedInformerFactory(client, 0)
	informer := factory.Core().V1().Services().Informer()
	balancer := &loadBalancer{
		client: client,
		prefix: prefix.Masked(),
		store:  informer.GetStore(),
		given:  map[string]string{},
		queue: workqueue.NewTypedRateLimitingQueue(
			workqueue.NewTypedItemExponentialFailureRateLimiter[string](50*time.Millisecond, 5*time.Second)),
	}
	enqueue := func(object any) {
		if key, err := cache.DeletionHandlingMetaNamespaceKeyFunc(object); err == nil {
			balancer.queue.Add(key)
		}
	}
	_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    enqueue,
		UpdateFunc: func(_, object any) { enqueue(object) },
		DeleteFunc: enqueue,
	})
	if err != nil {
		return err
	}
	factory.Start(ctx.Done())
	// Without the addresses that are in use already, one would be given twice.
	if !cache.WaitForCacheSync(ctx.Done(), informer.HasSynced) {
		return errors.New("ended before the Services were listed")
	}
	for _, object := range balancer.store.List() {
		service := object.(*core.Service)
		for _, ingress := range service.Status.LoadBalancer.Ingress {
			balancer.given[ingress.IP] = service.Namespace + "/" + service.Name
		}
	}
	go func() {
		<-ctx.Done()
		balancer.queue.ShutDown()
	}()
	for {
		key, ended := balancer.queue.Get()
		if ended {
			return nil
		}
		if err := balancer.reconcile(ctx, key); err != nil {
			klog.ErrorS(err, "Cannot give an address", "service", key)
			balancer.queue.AddRateLimited(key)
		} else {
			balancer.queue.Forget(key)
		}
		balancer.queue.Done(key)
	}
}

func (b *loadBalancer) reconcile(ctx context.Context, key string) error {
	object, exists, err := b.store.GetByKey(key)
	if err != nil {
		return err
	}
	if !exists {
		b.takeBack(key)
		return nil
	}
	service := object.(*core.Service).DeepCopy()
	has := len(service.Status.LoadBalancer.Ingress) > 0
	switch {
	case service.Spec.Type == core.ServiceTypeLoadBalancer && !has:
		address, err := b.address(key)
		if err != nil {
			return err
		}
		service.Status.LoadBalancer.Ingress = []core.LoadBalancerIngress{{IP: address}}
	case service.Spec.Type != core.ServiceTypeLoadBalancer && has:
		b.takeBack(key)
		service.Status.LoadBalancer.Ingress = nil
	default:
		return nil
	}
	_, err = b.client.CoreV1().Services(service.Namespace).UpdateStatus(ctx, service, meta.UpdateOptions{})
	return err
}

// The address that the Service has already, or the first that none has.
func (b *loadBalancer) address(key string) (string, error) {
	for address, owner := range b.given {
		if owner == key {
			return address, nil
		}
	}
	for address := b.prefix.Addr().Next(); b.prefix.Contains(address); address = address.Next() {
		if _, taken := b.given[address.String()]; !taken {
			b.given[address.String()] = key
			return address.String(), nil
		}
	}
	return "", fmt.Errorf("no address of %s is free", b.prefix)
}

func (b *loadBalancer) takeBack(key string) {
	maps.DeleteFunc(b.given, func(_, owner string) bool { return owner == key })
}
