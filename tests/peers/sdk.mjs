// The TypeScript SDK's client of 2025-11-25: sdk.mjs SDK URL [CALL...] prints what it sees of a server as JSON. It refuses
// a list or a result as a whole for one part that it cannot read, and checks what tools give against their schemas.

import { pathToFileURL } from "node:url";

const [sdk, url, ...calls] = process.argv.slice(2);
const load = (file) => import(pathToFileURL(`${sdk}/dist/esm/client/${file}`));
const { Client } = await load("index.js");
const { StreamableHTTPClientTransport } = await load("streamableHttp.js");

const client = new Client({ name: "testkit", version: "1" });
const told = (error) => ({ refused: { code: error.code, message: error.message } });
await client.connect(new StreamableHTTPClientTransport(new URL(url)));
// Twice, because what it keeps of the first must not spoil the second.
await client.listTools();
const { tools } = await client.listTools();
const results = {};
for (const name of calls) {
  results[name] = await client.callTool({ name, arguments: {} }).catch(told);
}
const { prompts } = await client.listPrompts();
const { resources } = await client.listResources();
const { resourceTemplates } = await client.listResourceTemplates();
const gotten = {};
for (const { name } of prompts) {
  gotten[name] = await client.getPrompt({ name }).catch(told);
}
const read = {};
for (const { uri } of resources) {
  read[uri] = await client.readResource({ uri }).catch(told);
}
console.log(JSON.stringify({ tools, results, prompts, resources, resourceTemplates, gotten, read }));
await client.close();
