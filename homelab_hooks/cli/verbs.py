"""The command table: name, access tier, summary, and implementing module of each command."""

from __future__ import annotations


class Command:
    """A row of the table.

    A plain class, because importing dataclasses or typing would cost a third of the time of `homelab --help`.

    Args:
        words: the command's name after `homelab`.
        tier: read, or write if the command changes something.
        module: below cli/commands; has `add_arguments(parser)` and `run(args, session)`.
        alias: the same command under a name of its own.
        hidden: called by hooks, and not listed by `homelab --help`.
    """

    __slots__ = ("alias", "hidden", "module", "summary", "tier", "words")

    def __init__(  # noqa: PLR0913 - a row has these columns
        self, words: tuple[str, ...], tier: str, summary: str, module: str, alias: str = "", *, hidden: bool = False
    ) -> None:
        self.words = words
        self.tier = tier
        self.summary = summary
        self.module = module
        self.alias = alias
        self.hidden = hidden


GROUPS = {
    "": "Land a branch, watch CI, and wait for the rollout.",
    "ci": "Watch, inspect, restart, and cancel the CI pipelines of a commit.",
    "deploy": "Wait for rollouts in a Kubernetes cluster.",
    "work": "Work on a task in its own worktree, and land it.",
    "trust": "Manage the commands from tracked files that you approved.",
    "agent": "Set up coding agents: permission rules, a skill, and a hook that wakes them.",
    "hooks": "Manage the git hooks that watch CI after a push, and run checks before a push.",
}
"""the description of each group of commands, by its first word; the empty word stands for all commands"""

COMMANDS: tuple[Command, ...] = (
    Command(("ci", "watch"), "read", "wait for the CI result of a commit", "ci.watch", "homelab-watch"),
    Command(("ci", "status"), "read", "show the current CI status and exit", "ci.status"),
    Command(("ci", "logs"), "read", "print the logs of failed steps", "ci.logs"),
    Command(("ci", "restart"), "write", "restart the failed pipelines of a commit and watch them", "ci.restart"),
    Command(("ci", "cancel"), "write", "cancel the running and pending pipelines of a commit", "ci.cancel"),
    Command(("follow",), "read", "follow a commit from the push to the live answer", "follow"),
    Command(("deploy", "wait"), "read", "wait until workloads run the commit", "deploy.wait"),
    Command(
        ("work", "land"), "write", "merge, verify, push, watch CI, and wait for the rollout", "work.land", "git land"
    ),
    Command(("work", "start"), "write", "create a worktree for a task", "work.start"),
    Command(("work", "clean"), "write", "remove a task's worktree and branch", "work.clean"),
    Command(
        ("hooks", "install"),
        "write",
        "install git hooks that watch CI after each push",
        "hooks.install",
    ),
    Command(("hooks", "uninstall"), "write", "remove the git hooks and restore the previous ones", "hooks.uninstall"),
    Command(("hooks", "status"), "read", "show the installed git hooks and what runs when", "hooks.status"),
    Command(("trust", "list"), "read", "list the approved commands of this repository", "trust.list"),
    Command(("trust", "revoke"), "write", "withdraw the approval of a command", "trust.revoke"),
    Command(("agent", "install"), "write", "set up a coding agent to use this tool", "agent.install"),
    Command(("agent", "uninstall"), "write", "remove what the agent's setup has written", "agent.uninstall"),
    Command(("agent", "status"), "read", "show whether a coding agent is set up", "agent.status"),
    Command(("doctor",), "read", "check everything `git land` depends on and suggest fixes", "doctor"),
    Command(("config",), "read", "show effective settings and their sources", "config"),
    Command(("mcp",), "write", "serve an MCP client on standard input and output", "mcp"),
    Command(("completion",), "read", "print the completion script of a shell", "completion"),
    Command(("demo",), "write", "try homelab against simulated services", "demo"),
    Command(("manifest",), "read", "list all commands with their access tiers", "manifest"),
    Command(("hooks", "verify"), "write", "pre-push gate: verify pushes to the target", "hooks.verify", hidden=True),
    Command(
        ("hooks", "ci-green"),
        "read",
        "pre-push gate: reject pushes to a branch whose latest pipeline failed",
        "hooks.ci_green",
        hidden=True,
    ),
    Command(
        ("hooks", "land-only"),
        "read",
        "pre-push gate: reject pushes to the target unless made by git land",
        "hooks.land_only",
        hidden=True,
    ),
    Command(
        ("hooks", "post-push"), "write", "start a background watcher before a push", "hooks.post_push", hidden=True
    ),
    Command(("hooks", "pushed"), "write", "watch CI after a plain git push", "hooks.pushed", hidden=True),
    Command(("agent", "wake"), "read", "(internal) wait for background watchers", "agent.wake", hidden=True),
    Command(("hooks", "watcher"), "write", "(internal) the background watcher of a push", "hooks.watcher", hidden=True),
)


def find_verb(args: list[str]) -> Command | None:
    """Return the command that the first words name; None if there is none."""
    return next((verb for verb in COMMANDS if tuple(args[: len(verb.words)]) == verb.words), None)
