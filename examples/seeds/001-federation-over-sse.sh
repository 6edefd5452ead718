# On one machine: `portico run -f examples/seeds/001-federation-over-sse.yaml`.
# In a cluster that has the Gateway API, from the top of the repository:
helm upgrade -i --create-namespace -n agentgateway-system portico-crds deploy/charts/portico-crds
helm upgrade -i -n agentgateway-system portico deploy/charts/portico
kubectl get pods -n agentgateway-system
kubectl apply -f examples/seeds/001-federation-over-sse.yaml
kubectl get deployment agentgateway-proxy -n agentgateway-system
kubectl rollout status deploy/mcp-everything -n agentgateway-system --timeout=120s
kubectl rollout status deploy/mcp-filesystem -n agentgateway-system --timeout=120s
kubectl port-forward deployment/agentgateway-proxy -n agentgateway-system 8080:80 &
# A session of the year 2024, by hand: put the mcp-session-id of the first answer where YOUR_SESSION_ID stands.
curl -s -i http://localhost:8080/mcp \
  -H "Content-Type: application/json" -H "Accept: application/json, text/event-stream" \
  -d '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2024-11-05","capabilities":{},"clientInfo":{"name":"curl","version":"8"}}}'
curl -s http://localhost:8080/mcp \
  -H "Content-Type: application/json" -H "Accept: application/json, text/event-stream" \
  -H "Mcp-Session-Id: YOUR_SESSION_ID" \
  -d '{"jsonrpc":"2.0","id":2,"method":"tools/list"}'
curl -s http://localhost:8080/mcp \
  -H "Content-Type: application/json" -H "Accept: application/json, text/event-stream" \
  -H "Mcp-Session-Id: YOUR_SESSION_ID" \
  -d '{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"everything_echo","arguments":{"message":"Hello from federation!"}}}'
curl -s http://localhost:8080/mcp \
  -H "Content-Type: application/json" -H "Accept: application/json, text/event-stream" \
  -H "Mcp-Session-Id: YOUR_SESSION_ID" \
  -d '{"jsonrpc":"2.0","id":4,"method":"tools/call","params":{"name":"filesystem_list_directory","arguments":{"path":"/tmp"}}}'
kubectl delete -f examples/seeds/001-federation-over-sse.yaml
