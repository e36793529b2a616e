"""Lists and calls the tools with the official Python client: both ways, with and without the older handshake."""

import asyncio
import json
import os
import sys

import httpx2
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client


async def use(way, server, mode, calls):
    async with Client(server, mode=mode) as client:
        tools = (await client.list_tools()).tools
        assert all(tool.annotations.read_only_hint is not None for tool in tools)
        for name, arguments in calls:
            result = await client.call_tool(name, arguments)
            assert not result.is_error, (name, result)
        try:
            await client.call_tool("cal_pay", {})
        except MCPError as error:
            assert "cal_pay" in str(error)
        else:
            raise AssertionError("there is no such tool")
        print(f"python over {way}: {len(tools)} tools, {len(calls)} calls ({mode}, {client.protocol_version})")


async def main(calup, folder, url, calls):
    with open(calls) as file:
        calls = json.load(file)
    token = {"Authorization": f"Bearer {os.environ['CALUP_TOKEN']}"}
    for mode in ["auto", "legacy"]:
        started = StdioServerParameters(command=calup, args=["mcp", "--folder", folder])
        await use("stdio", started, mode, calls)
        async with httpx2.AsyncClient(headers=token, timeout=30) as http:
            await use("http", streamable_http_client(url, http_client=http), mode, calls)


asyncio.run(main(*sys.argv[1:]))
