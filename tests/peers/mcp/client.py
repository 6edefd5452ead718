"""The Python SDK's own client, which probes for 2026-07-28 first: client.py URL TARGET prints what it sees as JSON."""

import asyncio
import json
import sys

from mcp import Client


async def main(url: str, target: str) -> None:
    progress = []

    async def told(done: float, total: float | None, message: str | None) -> None:
        progress.append(done)

    async with Client(url) as client:
        tools = await client.list_tools()
        resources = await client.list_resources()
        templates = await client.list_resource_templates()
        prompts = await client.list_prompts()
        greeting = await client.call_tool(f"{target}_greet", {"name": "Ada"})
        await client.call_tool(f"{target}_count", {"to": 3}, progress_callback=told)
        note = await client.read_resource(f"{target}+note://hello")
        named = await client.read_resource(f"{target}+note://Ada/text")
        prompt = await client.get_prompt(f"{target}_introduce", {"name": "Ada"})
        unknown_is_named = False
        try:
            await client.call_tool("nobody_has_this", {})
        except Exception as error:
            unknown_is_named = "nobody_has_this" in str(error)
        print(json.dumps({
            "tools": [tool.name for tool in tools.tools],
            "resources": [str(resource.uri) for resource in resources.resources],
            "templates": [template.uri_template for template in templates.resource_templates],
            "prompts": [prompt.name for prompt in prompts.prompts],
            "greeting": greeting.content[0].text,
            "progress": progress,
            "note": note.contents[0].text,
            "note_uri": str(note.contents[0].uri),
            "named": named.contents[0].text,
            "prompt": prompt.messages[0].content.text,
            "unknown_is_named": unknown_is_named,
        }))


asyncio.run(main(sys.argv[1], sys.argv[2]))
