"""The Python SDK's client, which does as it is told: play.py streamable-http|sse URL.

Each line of its input is a request, {"method", "params"}; for each it prints a line with the result or the error, the
progress that was told and what it was asked. A request that "isCancelled" is cancelled at the next line. It answers
every question, and leaves at the end of its input.
"""

import asyncio
import json
import sys

import anyio
from mcp import Client, MCPError
from mcp.client.sse import sse_client
from mcp.types import (
    CreateMessageResult,
    ElicitResult,
    Implementation,
    ListRootsResult,
    PromptReference,
    ResourceTemplateReference,
    Root,
    TextContent,
)


def say(outcome: dict) -> None:
    print(json.dumps(outcome, separators=(",", ":")), flush=True)


async def main(transport: str, url: str) -> None:
    asked = []
    progress = []

    async def elicits(context, params) -> ElicitResult:
        asked.append(params.message)
        return ElicitResult(action="accept", content={"name": "Ada"} if params.mode == "form" else None)

    async def samples(context, params) -> CreateMessageResult:
        asked.append(params.messages[0].content.text)
        text = TextContent(type="text", text="Hello from the model!")
        return CreateMessageResult(role="assistant", model="none", content=text, stop_reason="endTurn")

    async def roots(context) -> ListRootsResult:
        return ListRootsResult(roots=[Root(uri="file:///work", name="work")])

    async def told(done: float, total: float | None, message: str | None) -> None:
        progress.append(done)

    def completes(ref, argument, context=None):
        kind = PromptReference if ref["type"] == "ref/prompt" else ResourceTemplateReference
        return client.complete(kind(**ref), argument, context and context["arguments"])

    def calls(name, arguments=None):
        return client.call_tool(name, arguments, progress_callback=told)

    client = Client(
        sse_client(url) if transport == "sse" else url,
        mode="legacy",
        client_info=Implementation(name="player", version="1"),
        elicitation_callback=elicits,
        sampling_callback=samples,
        list_roots_callback=roots,
    )
    does = {
        "completion/complete": completes,
        "logging/setLevel": client.set_logging_level,
        "ping": client.send_ping,
        "prompts/get": client.get_prompt,
        "prompts/list": client.list_prompts,
        "resources/list": client.list_resources,
        "resources/read": client.read_resource,
        "resources/subscribe": client.subscribe_resource,
        "resources/templates/list": client.list_resource_templates,
        "resources/unsubscribe": client.unsubscribe_resource,
        "tools/call": calls,
        "tools/list": client.list_tools,
    }
    async def outcome(step: dict) -> dict:
        try:
            result = await does[step["method"]](**step.get("params", {}))
        except MCPError as error:
            return {"error": error.error.model_dump(mode="json", exclude_none=True)}
        return {"result": result.model_dump(by_alias=True, mode="json", exclude_none=True)}

    async def cancelled(step: dict) -> dict:
        async with anyio.create_task_group() as group:
            group.start_soon(outcome, step)
            await asyncio.to_thread(sys.stdin.readline)
            group.cancel_scope.cancel()
        return {}

    async with client:
        say({"played": 0})
        played = 0
        while line := await asyncio.to_thread(sys.stdin.readline):
            step = json.loads(line)
            asked.clear()
            progress.clear()
            came = await (cancelled if step.get("isCancelled") else outcome)(step)
            played += 1
            say({"played": played, "asked": asked, "progress": progress, **came})


asyncio.run(main(*sys.argv[1:]))
