# On one machine: `portico run -f examples/seeds/004-first-generation.yaml`.
# In a cluster that has the Gateway API, from the top of the repository:
helm upgrade -i --create-namespace -n agentgateway-system portico-crds deploy/charts/portico-crds
helm upgrade -i -n agentgateway-system portico deploy/charts/portico
kubectl apply -f examples/seeds/004-first-generation.yaml
kubectl rollout status deploy/mcp-server --timeout=120s
kubectl get gateway agentgateway
kubectl port-forward deployment/agentgateway 8080:8080 &
# `mcp-inspector` is of npm's @modelcontextprotocol/inspector.
mcp-inspector --cli http://localhost:8080/mcp --transport http --method tools/list
kubectl delete -f examples/seeds/004-first-generation.yaml
