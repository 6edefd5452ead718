// The TypeScript SDK's client, which does as it is told: play.cjs streamable-http|sse URL, or play.cjs stdio COMMAND….
//
// Each line of its input is a request, {"method", "params"}; for each it prints a line with the result or the error,
// the progress that was told and what it was asked. It answers every question, and leaves at the end of its input.

const readline = require("node:readline");
const { Client } = require("@modelcontextprotocol/sdk/client/index.js");
const { SSEClientTransport } = require("@modelcontextprotocol/sdk/client/sse.js");
const { StdioClientTransport } = require("@modelcontextprotocol/sdk/client/stdio.js");
const { StreamableHTTPClientTransport } = require("@modelcontextprotocol/sdk/client/streamableHttp.js");
const {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
} = require("@modelcontextprotocol/sdk/types.js");

async function main(kind, address, ...rest) {
  let asked = [];
  let progress = [];
  const capabilities = { sampling: {}, elicitation: { form: {}, url: {} }, roots: { listChanged: true } };
  const client = new Client({ name: "player", version: "1" }, { capabilities });
  client.setRequestHandler(ElicitRequestSchema, ({ params }) => {
    asked.push(params.message);
    return params.mode === "url" ? { action: "accept" } : { action: "accept", content: { name: "Ada" } };
  });
  client.setRequestHandler(CreateMessageRequestSchema, ({ params }) => {
    asked.push(params.messages[0].content.text);
    const content = { type: "text", text: "Hello from the model!" };
    return { role: "assistant", model: "none", content, stopReason: "endTurn" };
  });
  client.setRequestHandler(ListRootsRequestSchema, () => ({ roots: [{ uri: "file:///work", name: "work" }] }));

  const onprogress = (told) => progress.push(told.progress);
  const does = {
    "completion/complete": (params) => client.complete(params),
    "logging/setLevel": (params) => client.setLoggingLevel(params.level),
    ping: () => client.ping(),
    "prompts/get": (params) => client.getPrompt(params),
    "prompts/list": (params) => client.listPrompts(params),
    "resources/list": (params) => client.listResources(params),
    "resources/read": (params) => client.readResource(params),
    "resources/subscribe": (params) => client.subscribeResource(params),
    "resources/templates/list": (params) => client.listResourceTemplates(params),
    "resources/unsubscribe": (params) => client.unsubscribeResource(params),
    "tools/call": (params) => client.callTool(params, undefined, { onprogress }),
    "tools/list": (params) => client.listTools(params),
  };
  const transports = {
    "streamable-http": () => new StreamableHTTPClientTransport(new URL(address)),
    sse: () => new SSEClientTransport(new URL(address)),
    stdio: () => new StdioClientTransport({ command: address, args: rest, env: process.env }),
  };
  const transport = transports[kind]();
  await client.connect(transport);
  let played = 0;
  console.log(JSON.stringify({ played }));
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const { method, params } = JSON.parse(line);
    [asked, progress] = [[], []];
    const outcome = await does[method](params).then(
      (result) => ({ result }),
      ({ code, message, data }) => ({ error: { code, message, data } }),
    );
    played += 1;
    console.log(JSON.stringify({ played, asked, progress, ...outcome }));
  }
  await transport.terminateSession?.();
  await client.close();
}

main(...process.argv.slice(2));
