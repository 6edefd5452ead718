// The TypeScript SDK's client, which does as it is told: play.cjs streamable-http|sse URL, or play.cjs stdio COMMAND….
//
// Each line of its input is a request, {"method", "params"}; for each it prints a line with the result or the error,
// the progress that was told and what it was asked. A request that "isCancelled" is cancelled at the next line. It
// answers every question, those that ask for a task with one, and leaves at the end of its input.

const readline = require("node:readline");
const { Client } = require("@modelcontextprotocol/sdk/client/index.js");
const { SSEClientTransport } = require("@modelcontextprotocol/sdk/client/sse.js");
const { StdioClientTransport } = require("@modelcontextprotocol/sdk/client/stdio.js");
const { StreamableHTTPClientTransport } = require("@modelcontextprotocol/sdk/client/streamableHttp.js");
const { InMemoryTaskStore } = require("@modelcontextprotocol/sdk/experimental/tasks");
const {
  CallToolResultSchema,
  CreateMessageRequestSchema,
  CreateTaskResultSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
} = require("@modelcontextprotocol/sdk/types.js");

async function main(kind, address, ...rest) {
  let asked = [];
  let progress = [];
  const tasks = { list: {}, cancel: {}, requests: { elicitation: { create: {} } } };
  const capabilities = { sampling: {}, elicitation: { form: {}, url: {} }, roots: { listChanged: true }, tasks };
  const taskStore = new InMemoryTaskStore();
  const client = new Client({ name: "player", version: "1" }, { capabilities, taskStore });
  client.setRequestHandler(ElicitRequestSchema, async ({ params }, { taskStore }) => {
    asked.push(params.message);
    const answer = params.mode === "url" ? { action: "accept" } : { action: "accept", content: { name: "Ada" } };
    if (!params.task) {
      return answer;
    }
    const { taskId } = await taskStore.createTask(params.task);
    await taskStore.storeTaskResult(taskId, "completed", answer);
    return { task: await taskStore.getTask(taskId) };
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
    "tasks/cancel": ({ taskId }) => client.experimental.tasks.cancelTask(taskId),
    "tasks/get": ({ taskId }) => client.experimental.tasks.getTask(taskId),
    "tasks/list": () => client.experimental.tasks.listTasks(),
    "tasks/result": ({ taskId }) => client.experimental.tasks.getTaskResult(taskId, CallToolResultSchema),
    "tools/call": ({ task, ...params }, { signal }) =>
      task
        ? client.request({ method: "tools/call", params }, CreateTaskResultSchema, { task })
        : client.callTool(params, undefined, { onprogress, signal }),
    "tools/list": (params) => client.listTools(params),
  };
  // It would read on after each JSON-RPC error, a second later, and server-everything says everything again to whoever
  // reads on.
  const reconnectionOptions = {
    initialReconnectionDelay: 1000,
    maxReconnectionDelay: 30000,
    reconnectionDelayGrowFactor: 1.5,
    maxRetries: 0,
  };
  const transports = {
    "streamable-http": () => new StreamableHTTPClientTransport(new URL(address), { reconnectionOptions }),
    sse: () => new SSEClientTransport(new URL(address)),
    stdio: () => new StdioClientTransport({ command: address, args: rest, env: process.env }),
  };
  const transport = transports[kind]();
  await client.connect(transport);
  let played = 0;
  console.log(JSON.stringify({ played }));
  const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  for await (const line of lines) {
    const { method, params, isCancelled } = JSON.parse(line);
    [asked, progress] = [[], []];
    const cancelling = new AbortController();
    const doing = does[method](params, cancelling).then(
      (result) => ({ result }),
      ({ code, message, data }) => ({ error: { code, message, data } }),
    );
    if (isCancelled) {
      await lines.next();
      cancelling.abort("it takes too long");
    }
    const outcome = await doing;
    played += 1;
    console.log(JSON.stringify({ played, asked, progress, ...outcome }));
  }
  taskStore.cleanup();
  await transport.terminateSession?.();
  await client.close();
}

main(...process.argv.slice(2));
