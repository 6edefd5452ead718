# On one machine: `portico run -f examples/seeds/003-server-per-path.yaml`.
# In a cluster that has the Gateway API, from the top of the repository:
helm upgrade -i --create-namespace -n agentgateway-system portico-crds deploy/charts/portico-crds
helm upgrade -i -n agentgateway-system portico deploy/charts/portico
kubectl create namespace mcp
kubectl apply -f examples/seeds/003-server-per-path.yaml
kubectl rollout status deploy/github -n mcp --timeout=120s
kubectl rollout status deploy/slack -n mcp --timeout=120s
kubectl -n agentgateway-system port-forward svc/mcp-gateway 9080:8080 &
# No session, no Accept header: answers are plain JSON.
curl -s http://localhost:9080/mcp/github -H "Content-Type: application/json" \
  -d '{"jsonrpc":"2.0","id":1,"method":"tools/list"}' | jq .
curl -s http://localhost:9080/mcp/slack -H "Content-Type: application/json" \
  -d '{"jsonrpc":"2.0","id":1,"method":"tools/list"}' | jq .
curl -s http://localhost:9080/mcp/github -H "Content-Type: application/json" \
  -d '{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"list_issues","arguments":{"owner":"octocat","repo":"hello"}}}' | jq .
kubectl delete -f examples/seeds/003-server-per-path.yaml
kubectl delete namespace mcp
