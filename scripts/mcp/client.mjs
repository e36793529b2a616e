// Lists and calls the tools with the official TypeScript client, both ways.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [clients, calup, folder, url, file] = process.argv.slice(2);
const require = createRequire(`${clients}/`);
const { Client } = require("@modelcontextprotocol/sdk/client/index.js");
const { StdioClientTransport } = require("@modelcontextprotocol/sdk/client/stdio.js");
const { StreamableHTTPClientTransport } = require("@modelcontextprotocol/sdk/client/streamableHttp.js");
const calls = JSON.parse(readFileSync(file, "utf8"));

async function use(way, transport) {
  const client = new Client({ name: "calup-tests", version: "0" });
  await client.connect(transport);
  const { tools } = await client.listTools();
  assert(tools.every((tool) => typeof tool.annotations.readOnlyHint === "boolean"));
  for (const [name, args] of calls) {
    const result = await client.callTool({ name, arguments: args });
    assert(!result.isError, `${name}: ${JSON.stringify(result)}`);
  }
  await assert.rejects(client.callTool({ name: "cal_pay", arguments: {} }), /cal_pay/);
  await client.close();
  console.log(`typescript over ${way}: ${tools.length} tools, ${calls.length} calls`);
}

await use("stdio", new StdioClientTransport({ command: calup, args: ["mcp", "--folder", folder] }));
const headers = { Authorization: `Bearer ${process.env.CALUP_TOKEN}` };
await use("http", new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }));
