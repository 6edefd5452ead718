"""The Python SDK's client where everything comes on one stream; prints what it sees as JSON.

one_stream.py sse URL TARGET… | one_stream.py stdio PROGRAM FILE TARGET…
"""

import asyncio
import json
import sys

from mcp import Client, StdioServerParameters
from mcp.client.sse import sse_client
from mcp.client.stdio import stdio_client
from mcp.types import CreateMessageResult, ElicitResult, TextContent


async def listed(client: Client, targets: list[str]) -> list[str]:
    """The tools, once every target has some: a list shows what is known by then."""
    while True:
        names = [tool.name for tool in (await client.list_tools()).tools]
        if all(f"{target}_greet" in names for target in targets):
            return names
        await asyncio.sleep(0.05)


async def main(transport, targets: list[str]) -> None:
    asked = []
    progress = []

    async def answers(context, params) -> ElicitResult:
        asked.append(params.message)
        return ElicitResult(action="accept", content={"name": "Ada"})

    async def samples(context, params) -> CreateMessageResult:
        text = f"You said: {params.messages[0].content.text}"
        return CreateMessageResult(role="assistant", content=TextContent(type="text", text=text), model="none")

    async def told(done: float, total: float | None, message: str | None) -> None:
        progress.append(done)

    async with Client(transport, elicitation_callback=answers, sampling_callback=samples) as client:
        tools = await listed(client, targets)
        greetings = []
        for target in targets:
            greeting = await client.call_tool(f"{target}_greet", {"name": "Ada"})
            await client.call_tool(f"{target}_count", {"to": 3}, progress_callback=told)
            greetings += [greeting.content[0].text]
        answered = [(await client.call_tool(f"{target}_ask", {})).content[0].text for target in targets]
        sampled = [(await client.call_tool(f"{target}_sample", {})).content[0].text for target in targets]
        print(json.dumps({
            "tools": tools,
            "greetings": greetings,
            "progress": progress,
            "asked": asked,
            "answered": answered,
            "sampled": sampled,
        }))


match sys.argv[1:]:
    case ["sse", url, *targets]:
        asyncio.run(main(sse_client(url), targets))
    case ["stdio", program, file, *targets]:
        started = StdioServerParameters(command=program, args=["stdio", "-f", file])
        asyncio.run(main(stdio_client(started), targets))
