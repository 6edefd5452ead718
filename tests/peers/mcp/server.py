"""A server on the Python SDK 2.x: server.py stdio | sse PORT | streamable-http PORT | stateless PORT."""

import sys

from mcp.server.mcpserver import Context, MCPServer
from mcp.types import SamplingMessage, TextContent
from pydantic import BaseModel

server = MCPServer("python", instructions="Ask for a greeting.")


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


class Name(BaseModel):
    name: str


@server.tool()
async def ask(context: Context) -> str:
    """Greets whoever it is."""
    answer = await context.elicit("Who is it?", Name)
    return f"Hello, {answer.data.name}!"


@server.tool()
async def sample(context: Context) -> str:
    """Passes on what a model says."""
    message = SamplingMessage(role="user", content=TextContent(type="text", text="Hello!"))
    answer = await context.session.create_message([message], max_tokens=16, related_request_id=context.request_id)
    return answer.content.text


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


match sys.argv[1:]:
    case ["stdio"]:
        server.run("stdio")
    case ["sse", port]:
        server.run("sse", port=int(port))
    case ["streamable-http", port]:
        server.run("streamable-http", port=int(port))
    case ["stateless", port]:
        server.run("streamable-http", port=int(port), stateless_http=True)
