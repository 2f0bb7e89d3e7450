"""The exit codes that each command can end with, for -h and the man pages; imported only to print them."""

from __future__ import annotations

from collections.abc import Iterable

from homelab_hooks.exit_codes import EXIT_MEANINGS, ExitCode

_ALWAYS = (ExitCode.OK, ExitCode.USAGE, ExitCode.INTERRUPTED, ExitCode.TERMINATED)
_CI = (
    ExitCode.FAILED, ExitCode.NO_PIPELINE, ExitCode.DENIED, ExitCode.CANCELLED, ExitCode.SUPERSEDED, ExitCode.BLOCKED,
    ExitCode.UNREACHABLE, ExitCode.TIMEOUT,
)  # fmt: skip
_DEPLOY = (
    ExitCode.DENIED, ExitCode.UNREACHABLE, ExitCode.ROLLOUT_FAILED, ExitCode.ROLLOUT_UNPROVEN, ExitCode.TIMEOUT,
)  # fmt: skip
_SETUP = (ExitCode.REFUSED, ExitCode.UNREACHABLE)
_BY_COMMAND: dict[tuple[str, ...], tuple[ExitCode, ...]] = {
    ("ci", "watch"): (*_CI, *_DEPLOY),
    ("ci", "status"): _CI,
    ("ci", "logs"): (
        ExitCode.NO_PIPELINE, ExitCode.DENIED, ExitCode.BLOCKED, ExitCode.UNREACHABLE, ExitCode.TIMEOUT,
    ),
    ("ci", "restart"): (*_CI, ExitCode.REFUSED),
    ("ci", "cancel"): (ExitCode.DENIED, ExitCode.UNREACHABLE),
    ("follow",): (*_CI, *_DEPLOY, ExitCode.REFUSED),
    ("deploy", "wait"): _DEPLOY,
    ("work", "start"): (*_SETUP, ExitCode.PUSH_FAILED),
    ("work", "clean"): _SETUP,
    ("config",): (ExitCode.UNREACHABLE,),
    ("mcp",): (ExitCode.UNREACHABLE,),
    ("completion",): (ExitCode.UNREACHABLE,),
    ("manifest",): (ExitCode.UNREACHABLE,),
}  # fmt: skip
"""besides those of every command; UNREACHABLE is also the code of an internal error"""


def list_exit_codes(words: tuple[str, ...]) -> tuple[ExitCode, ...]:
    """Return the exit codes of a command in their order; all of them if it can end with the result of a landing."""
    group = _SETUP if words[0] in {"trust", "agent"} or words[:2] in _HOOK_COMMANDS else None
    own = _BY_COMMAND.get(words, group)
    return tuple(ExitCode) if own is None else tuple(code for code in ExitCode if code in {*_ALWAYS, *own})


_HOOK_COMMANDS = (("hooks", "install"), ("hooks", "uninstall"), ("hooks", "status"))


def format_exit_codes(codes: Iterable[ExitCode]) -> str:
    """Return the codes and their meanings as a table, one row each.

    >>> print(format_exit_codes([ExitCode.OK, ExitCode.BLOCKED]))
    exit codes:
      0    ok: everything requested completed and was confirmed
      7    blocked: the pipeline needs approval; its URL is printed
    """
    rows = [f"  {int(code):<3}  {code.verdict}: {EXIT_MEANINGS[code]}".replace("`", "") for code in codes]
    return "\n".join(["exit codes:", *rows])
