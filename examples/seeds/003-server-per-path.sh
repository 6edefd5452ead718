# No session, no Accept header: answers are plain JSON.
curl -s http://localhost:9080/mcp/github -H "Content-Type: application/json" \
  -d '{"jsonrpc":"2.0","id":1,"method":"tools/list"}' | jq .
curl -s http://localhost:9080/mcp/slack -H "Content-Type: application/json" \
  -d '{"jsonrpc":"2.0","id":1,"method":"tools/list"}' | jq .
curl -s http://localhost:9080/mcp/github -H "Content-Type: application/json" \
  -d '{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"list_issues","arguments":{"owner":"octocat","repo":"hello"}}}' | jq .
