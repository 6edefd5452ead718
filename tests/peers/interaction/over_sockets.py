"""A pytest plugin: runs the Python SDK's own interaction suite over real sockets, directly or through the gateway.

`python -m pytest -p over_sockets tests/interaction` in the unpacked sdist of PyPI `mcp`. The suite connects its
clients to its servers in process; `_FACTORIES` of its conftest is the one seam. Here a factory serves the test's
server on a port of its own and connects the client by URL: to the server itself, or, where PORTICO_BINARY is set, to a
gateway of the cell's own whose only target is that server. Only the cells of the handshake era run: those of
2026-07-28, and tests that connect nothing, say nothing of it. PORTICO_RESULTS is the file for the outcome of each.
"""

import json
import os
import socket
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from subprocess import PIPE, STDOUT
from tempfile import TemporaryDirectory

import anyio
import uvicorn
from mcp.client.client import Client
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client
from mcp_types.version import LATEST_HANDSHAKE_VERSION, MODERN_PROTOCOL_VERSIONS

GATEWAY = os.environ.get("PORTICO_BINARY")
# Bounds a cell that hangs. The longest takes some seconds.
PATIENCE = 30


def free_port():
    """A port that rests in TIME_WAIT: nobody is given it, a server with SO_REUSEADDR can listen on it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        with socket.create_connection(listener.getsockname()):
            listener.accept()[0].close()
        return listener.getsockname()[1]


@asynccontextmanager
async def served(app):
    """The base URL of an ASGI application."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="error", lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(partial(server.serve, sockets=[listener]))
        while not server.started:
            await anyio.sleep(0.005)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = server.force_exit = True


@asynccontextmanager
async def gateway(target):
    """The base URL of a gateway in front of one target."""
    with TemporaryDirectory() as folder:
        document = Path(folder, "portico.yaml")
        document.write_text(json.dumps({"targets": [{"name": "server", **target}]}), encoding="utf-8")
        port, admin = free_port(), free_port()
        command = [GATEWAY, "run", "-f", str(document), "--port", f"8080={port}", "--access-log", "off"]
        command += ["--admin-address", f"127.0.0.1:{admin}"]
        async with await anyio.open_process(command, stdout=PIPE, stderr=STDOUT) as process:
            try:
                said = b""
                while b"portico serves" not in said:
                    said += await process.stdout.receive()
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(drain, process.stdout)
                    yield f"http://127.0.0.1:{port}"
                    tasks.cancel_scope.cancel()
            finally:
                process.kill()


async def drain(stream):
    """Shows what the gateway says where the cell fails."""
    async for chunk in stream:
        print(chunk.decode(errors="replace"), end="")


@asynccontextmanager
async def reached(base, path, **target):
    """The URL for the client: the server's own, or that of a gateway in front of it."""
    if GATEWAY is None:
        yield f"{base}{path}"
    else:
        async with gateway({"url": f"{base}{path}", **target}) as front:
            # Both transports are on one path there.
            yield f"{front}/mcp"


@asynccontextmanager
async def over_http(server, *, stateless_http=False, spec_version=LATEST_HANDSHAKE_VERSION, **options):
    from tests.interaction._connect import NO_DNS_REBINDING_PROTECTION

    app = server.streamable_http_app(stateless_http=stateless_http, transport_security=NO_DNS_REBINDING_PROTECTION)
    with anyio.fail_after(PATIENCE):
        async with server.session_manager.run(), served(app) as base, reached(base, "/mcp") as url:
            async with Client(streamable_http_client(url), mode="legacy", **options) as client:
                yield client


@asynccontextmanager
async def over_sse(server, *, spec_version=LATEST_HANDSHAKE_VERSION, **options):
    from tests.interaction._connect import build_sse_app

    app, _ = build_sse_app(server)
    with anyio.fail_after(PATIENCE):
        async with served(app) as base, reached(base, "/sse", transport="sse") as url:
            async with Client(sse_client(url), mode="legacy", **options) as client:
                yield client


FACTORIES = {
    "streamable-http": over_http,
    "streamable-http-stateless": partial(over_http, stateless_http=True),
    "sse": over_sse,
}


def pytest_collection_modifyitems(config, items):
    from tests.interaction import conftest

    conftest._FACTORIES.update(FACTORIES)
    left_out = [item for item in items if not runs(item)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if runs(item)]


def runs(item):
    transport, revision = getattr(item, "callspec", None) and item.callspec.params.get("connect") or ("", "")
    return transport in FACTORIES and revision not in MODERN_PROTOCOL_VERSIONS


OUTCOMES = {}


def pytest_runtest_logreport(report):
    """Keeps the worst of the three phases, and why."""
    if report.when == "call" or report.outcome != "passed":
        outcome = "xfailed" if hasattr(report, "wasxfail") and report.skipped else report.outcome
        crash = getattr(report.longrepr, "reprcrash", None)
        if OUTCOMES.get(report.nodeid, {}).get("outcome") != "failed":
            OUTCOMES[report.nodeid] = {"outcome": outcome, "message": crash.message if crash else ""}


def pytest_sessionfinish(session):
    # A worker of xdist reports to the session that started it.
    if not hasattr(session.config, "workerinput") and "PORTICO_RESULTS" in os.environ:
        Path(os.environ["PORTICO_RESULTS"]).write_text(json.dumps(OUTCOMES), encoding="utf-8")
