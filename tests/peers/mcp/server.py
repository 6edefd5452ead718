"""A server on the Python SDK 2.x: server.py stdio | sse PORT | streamable-http PORT | stateless PORT."""

import asyncio
import sys

from mcp.server import ServerRequestContext
from mcp.server.mcpserver import Context, MCPServer
from mcp.types import (
    Completion,
    EmptyResult,
    SamplingMessage,
    SetLevelRequestParams,
    SubscribeRequestParams,
    TextContent,
    UnsubscribeRequestParams,
)
from pydantic import BaseModel

server = MCPServer("python", instructions="Ask for a greeting.")
CLOCK = "ui://python/clock.html"


@server.tool()
def greet(name: str) -> str:
    """Greets somebody."""
    return f"Hello, {name}!"


@server.tool()
async def count(to: int, context: Context) -> int:
    """Counts, and tells how far it is."""
    for number in range(1, to + 1):
        await context.report_progress(number, to)
    return to


@server.tool()
async def wait(context: Context) -> str:
    """Tells that it has begun, and then waits until it is cancelled."""
    await context.report_progress(1)
    await asyncio.Event().wait()


class Name(BaseModel):
    name: str


@server.tool()
async def ask(context: Context) -> str:
    """Greets whoever it is."""
    answer = await context.elicit("Who is it?", Name)
    return f"Hello, {answer.data.name}!"


@server.tool()
async def sample(context: Context) -> str:
    """Says what the client's model says."""
    question = SamplingMessage(role="user", content=TextContent(type="text", text="Hello!"))
    answer = await context.session.create_message([question], max_tokens=10, related_request_id=context.request_id)
    return answer.content.text


@server.tool()
async def log(context: Context) -> str:
    """Logs a line."""
    await context.info("a line of the log")
    return "logged"


@server.tool()
async def change(context: Context) -> str:
    """Says that the note is another now."""
    await context.session.send_resource_updated("note://hello")
    return "changed"


@server.tool()
async def grow(context: Context) -> str:
    """Adds a tool, and says so."""
    server.add_tool(lambda: "grown", name="grown")
    await context.session.send_tool_list_changed()
    return "grown"


@server.tool()
async def shrink(context: Context) -> str:
    """Takes the tool away again, and says so."""
    server.remove_tool("grown")
    await context.session.send_tool_list_changed()
    return "shrunk"


@server.tool(meta={"ui": {"resourceUri": CLOCK}})
def clock() -> str:
    """A tool with an app."""
    return "noon"


@server.resource(CLOCK, mime_type="text/html;profile=mcp-app")
def page() -> str:
    """The page of the app."""
    return "<!doctype html><title>Noon</title>"


@server.resource("note://hello")
def note() -> str:
    """A note."""
    return "a note of the test"


@server.resource("note://{name}/text")
def named(name: str) -> str:
    """A note for somebody."""
    return f"a note for {name}"


@server.prompt()
def introduce(name: str) -> str:
    """Asks for an introduction."""
    return f"Please introduce {name}."


@server.completion()
async def complete(ref, argument, context) -> Completion:
    names = [name for name in ["Ada", "Alan", "Grace"] if name.startswith(argument.value)]
    return Completion(values=names, total=len(names), has_more=False)


async def taken(context: ServerRequestContext, params) -> EmptyResult:
    return EmptyResult()


for method, params in [
    ("logging/setLevel", SetLevelRequestParams),
    ("resources/subscribe", SubscribeRequestParams),
    ("resources/unsubscribe", UnsubscribeRequestParams),
]:
    server._lowlevel_server.add_request_handler(method, params, taken)

match sys.argv[1:]:
    case ["stdio"]:
        server.run("stdio")
    case ["sse", port]:
        server.run("sse", port=int(port))
    case ["streamable-http", port]:
        server.run("streamable-http", port=int(port))
    case ["stateless", port]:
        server.run("streamable-http", port=int(port), stateless_http=True)
