"""The arguments of a client of the MCP server, as far as the command line that is made of them."""

from __future__ import annotations

import asyncio
import json
from functools import cache
from typing import TYPE_CHECKING, Any

from homelab_hooks.cli.main import CommandParser, build_parser
from homelab_hooks.cli.verbs import find_verb
from tools.fuzz.fed import SHA, FuzzTarget

if TYPE_CHECKING:
    from mcp.server.mcpserver import MCPServer

    from homelab_hooks.app.mcp_server import CommandReport

MAX_WORD_BYTES = 128 * 1024 - 1
"""of one argument of a process on Linux (MAX_ARG_STRLEN)"""
CHOSEN = {
    "status": {"commit"}, "follow": {"commit", "timeout"}, "logs": {"commit", "tail"}, "doctor": set[str](),
    "deploy_wait": {"sha", "rollout_timeout", "target"}, "land": {"onto", "strategy", "message", "dry_run", "detach"},
}  # fmt: skip
"""the arguments of the command that the client of a tool may choose, by their names in the parser"""
NAMED = {"commit": "commit", "sha": "commit", "onto": "target", "message": "message"}
"""the arguments that are the client's text, letter by letter, and how the tool calls them"""


class _RecordedCommands:
    """Keeps the words of the last command, and runs none."""

    words: tuple[str, ...] = ()

    async def run(self, _: Any, *words: str) -> CommandReport:
        """Keep them."""
        self.words = words
        untrusted: Any = {"reason": "", "hint": "", "url": "", "link": "", "lines": []}
        return {"verdict": "passed", "exit": 0, "sha": "", "landed": None, "resume": [], "untrusted": untrusted}


@cache
def _server() -> tuple[MCPServer[Any], _RecordedCommands, asyncio.Runner]:
    from homelab_hooks.app.mcp_server import build_server

    commands = _RecordedCommands()
    return build_server(commands, "0"), commands, asyncio.Runner()


@cache
def _parser(words: tuple[str, ...]) -> CommandParser:
    verb = find_verb(list(words))
    assert verb is not None
    return build_parser(verb, "homelab")[1]


def mcp_arguments(data: bytes) -> None:
    """They are refused, or become a command line that can be run, and in which only what a client may choose is set."""
    from mcp.server.mcpserver.exceptions import ToolError, UnexpectedToolError

    try:
        call = json.loads(data)
        tool, given = call["tool"], call["arguments"]
    except (ValueError, RecursionError, KeyError, TypeError):
        return
    if not isinstance(tool, str) or tool not in CHOSEN or not isinstance(given, dict):
        return
    server, commands, runner = _server()
    try:
        runner.run(server.call_tool(tool, given))
    except ToolError as error:
        assert not isinstance(error, UnexpectedToolError), error.__cause__  # noqa: PT017 - most inputs end well
        return
    _hold_words(tool, given, commands.words)


def _hold_words(tool: str, given: dict[str, Any], words: tuple[str, ...]) -> None:
    for word in words:
        assert "\0" not in word
        assert len(word.encode()) <= MAX_WORD_BYTES
    verb = find_verb(list(words))
    assert verb is not None
    parser, rest = _parser(verb.words), list(words[len(verb.words) :])
    found = vars(parser.parse_args(rest))
    default = vars(parser.parse_args(["shop/web"] if tool == "deploy_wait" else []))
    changed = {name for name, value in found.items() if value != default[name]}
    assert changed <= CHOSEN[tool], changed
    for name, argument in NAMED.items():
        if name in CHOSEN[tool] and given.get(argument):
            assert found[name] == given[argument], (found[name], given[argument])


def _call(tool: str, **arguments: Any) -> bytes:
    return json.dumps({"tool": tool, "arguments": arguments}).encode()


TARGETS = {
    "mcp-arguments": FuzzTarget(mcp_arguments, (
        _call("status", commit=SHA), _call("follow", commit="HEAD~2", seconds=45), _call("logs", commit="v1", tail=50),
        _call("doctor"), _call("deploy_wait", targets=["shop/web", "shop/sts/db"], commit="feature/x", seconds=9),
        _call("land", target="main", strategy="rebase", message="Add a door\n\nWith a handle.", dry_run=True),
        _call("land", target="--no-verify", strategy="--continue", message="--abort"),
        _call("status", commit="--server=https://ci.example.test"), _call("deploy_wait", targets=["--context=x"]),
    )),
}  # fmt: skip
