"""The website fetcher over HTTP+SSE, as its image starts it when nobody mounts another program in its place."""

import httpx
from mcp.server.fastmcp import FastMCP

server = FastMCP("mcp-website-fetcher", host="0.0.0.0", port=8000)


@server.tool()
async def fetch(url: str) -> str:
    """Fetches a website and returns its content"""
    async with httpx.AsyncClient(follow_redirects=True) as client:
        response = await client.get(url)
        response.raise_for_status()
        return response.text


if __name__ == "__main__":
    server.run(transport="sse")
