module portico.dev/tests/kube/gateway-api-1.4

go 1.26.0

require sigs.k8s.io/gateway-api v1.4.0
