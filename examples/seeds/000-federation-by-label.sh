# On one machine: `portico run -f examples/seeds/000-federation-by-label.yaml`.
# In a cluster that has the Gateway API, from the top of the repository:
helm upgrade -i --create-namespace -n agentgateway-system portico-crds deploy/charts/portico-crds
helm upgrade -i -n agentgateway-system portico deploy/charts/portico
kubectl apply -f examples/seeds/000-federation-by-label.yaml
kubectl describe httproute tools
# Status:
#   Parents:
#     Conditions:
#       Reason:  Accepted
#       Status:  True
#       Type:    Accepted
#       Reason:  ResolvedRefs
#       Status:  True
#       Type:    ResolvedRefs
#     Controller Name:  agentgateway.dev/agentgateway
#     Parent Ref:
#       Group:      gateway.networking.k8s.io
#       Kind:       Gateway
#       Name:       agentgateway-proxy
#       Namespace:  agentgateway-system
kubectl rollout status deploy/mcp-server-everything --timeout=120s
kubectl rollout status deploy/mcp-website-fetcher --timeout=120s
kubectl get gateway agentgateway-proxy -n agentgateway-system -o=jsonpath="{.status.addresses[0].value}"
kubectl port-forward deployment/agentgateway-proxy -n agentgateway-system 8080:80 &
# `mcp-inspector` is of npm's @modelcontextprotocol/inspector.
mcp-inspector --cli http://localhost:8080/mcp --transport http --method tools/list
kubectl delete -f examples/seeds/000-federation-by-label.yaml
