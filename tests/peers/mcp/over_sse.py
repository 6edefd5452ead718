"""The Python SDK's client over HTTP+SSE: over_sse.py URL TARGET… prints what it sees as JSON."""

import asyncio
import json
import sys

from mcp import Client
from mcp.client.sse import sse_client
from mcp.types import ElicitResult


async def main(url: str, targets: list[str]) -> None:
    asked = []
    progress = []

    async def answers(context, params) -> ElicitResult:
        asked.append(params.message)
        return ElicitResult(action="accept", content={"name": "Ada"})

    async def told(done: float, total: float | None, message: str | None) -> None:
        progress.append(done)

    async with Client(sse_client(url), elicitation_callback=answers) as client:
        tools = await client.list_tools()
        greetings = []
        for target in targets:
            greeting = await client.call_tool(f"{target}_greet", {"name": "Ada"})
            await client.call_tool(f"{target}_count", {"to": 3}, progress_callback=told)
            greetings += [greeting.content[0].text]
        answered = [(await client.call_tool(f"{target}_ask", {})).content[0].text for target in targets]
        print(json.dumps({
            "tools": [tool.name for tool in tools.tools],
            "greetings": greetings,
            "progress": progress,
            "asked": asked,
            "answered": answered,
        }))


asyncio.run(main(sys.argv[1], sys.argv[2:]))
