# On one machine: `portico run -f examples/seeds/002-one-label.yaml`.
# In a cluster that has the Gateway API, from the top of the repository:
helm upgrade -i --create-namespace -n agentgateway-system portico-crds deploy/charts/portico-crds
helm upgrade -i -n agentgateway-system portico deploy/charts/portico
kubectl apply -f examples/seeds/002-one-label.yaml
kubectl wait --for=create --timeout=60s deploy/mcp-gateway -n agentgateway-system
kubectl rollout status deploy/mcp-gateway -n agentgateway-system --timeout=120s
kubectl rollout status deploy/mcp-server-everything -n agentgateway-system --timeout=120s
kubectl rollout status deploy/mcp-website-fetcher -n agentgateway-system --timeout=120s
kubectl port-forward -n agentgateway-system deployment/mcp-gateway 8080:80 &
# `mcp-inspector` is of npm's @modelcontextprotocol/inspector.
mcp-inspector --cli http://localhost:8080/mcp --transport http --method tools/list
mcp-inspector --cli http://localhost:8080/mcp --transport sse --method tools/list
kubectl delete -f examples/seeds/002-one-label.yaml
