"""The access tier of each option: read, or write if it can name a server, a file, a URL, or a command to run.

A coding agent may run a read command without asking only if no option directs it elsewhere: with `--server`, the token
would go to another server, and a link `run:COMMAND` runs any program. An option that is not in the list is write, so
that a new option needs a confirmation until it has been reviewed.
"""

from __future__ import annotations

from collections.abc import Sequence

READ_OPTIONS = frozenset({
    "--all", "--appear-timeout", "--container", "--deploy", "--detach", "--dry-run", "--event", "--exact",
    "--fail-fast", "--json", "--list", "--no-deploy", "--onto", "--output", "--project", "--receipt", "--remote",
    "--repo", "--rollout-timeout", "--schema", "--settle", "--sha", "--step", "--strict", "--superseded", "--tail",
    "--timeout", "--unreachable-timeout", "--wait-for-workload", "--workflow",
})  # fmt: skip
"""options whose values cannot direct a request or run a program"""
READ_FLAGS = frozenset({"--follow", "--global"})
"""options that are read where they take no value: `homelab ci logs --follow`, but not `--follow run:COMMAND`"""


def tier_of_option(names: Sequence[str], *, takes_value: bool) -> str:
    """Return `read` or `write`.

    >>> tier_of_option(["--timeout"], takes_value=True), tier_of_option(["--server"], takes_value=True)
    ('read', 'write')
    >>> tier_of_option(["-f", "--follow"], takes_value=False), tier_of_option(["--follow"], takes_value=True)
    ('read', 'write')
    """
    long = [name for name in names if name.startswith("--")]
    known = READ_OPTIONS if takes_value else READ_OPTIONS | READ_FLAGS
    return "read" if long and known.issuperset(long) else "write"
