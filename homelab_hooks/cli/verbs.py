"""Every verb: its words, its tier, its summary, and the module that is loaded when it is called."""

from __future__ import annotations


class Command:
    """A row: tier is read or write; `module` has `add_arguments(parser)` and `run(args, session)`.

    A hidden one is called by hooks, and stands in no person's way.

    A plain class: `homelab --help` has no time to import dataclasses or typing.
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


COMMANDS: tuple[Command, ...] = (
    Command(("ci", "watch"), "read", "wait until CI has decided about a commit", "ci.watch", "homelab-watch"),
    Command(("ci", "status"), "read", "the same verdict from one look", "ci.status"),
    Command(("ci", "logs"), "read", "the logs of the steps that failed", "ci.logs"),
    Command(("ci", "restart"), "write", "run a commit's failed pipelines again, and watch", "ci.restart"),
    Command(("deploy", "wait"), "read", "wait until a workload runs the commit's image", "deploy.wait"),
    Command(("work", "land"), "write", "merge, verify, push, watch CI, wait for the rollout", "work.land", "git land"),
    Command(("work", "start"), "write", "a worktree for a task", "work.start"),
    Command(("work", "clean"), "write", "remove a task's worktree and branch", "work.clean"),
    Command(
        ("hooks", "install"),
        "write",
        "a post-push stage for every push: git hooks that keep what is there",
        "hooks.install",
    ),
    Command(("hooks", "uninstall"), "write", "take the git hooks out, and put back what was there", "hooks.uninstall"),
    Command(
        ("hooks", "status"), "read", "which git hooks are there, whose they are, and what fires when", "hooks.status"
    ),
    Command(("doctor",), "read", "everything a landing depends on, examined, each finding with its remedy", "doctor"),
    Command(("config",), "read", "every setting in force and where it comes from", "config"),
    Command(("demo",), "write", "the real landing path against an embedded CI, git server and cluster", "demo"),
    Command(("manifest",), "read", "every verb with its tier", "manifest"),
    Command(("hooks", "verify"), "write", "a gate: verify before a push to the target", "hooks.verify", hidden=True),
    Command(("hooks", "ci-green"), "read", "a gate: no push onto a red branch", "hooks.ci_green", hidden=True),
    Command(("hooks", "land-only"), "read", "a gate: the target takes git land only", "hooks.land_only", hidden=True),
    Command(("hooks", "post-push"), "write", "leave a waiter before a push", "hooks.post_push", hidden=True),
    Command(("hooks", "pushed"), "write", "watch after a plain push", "hooks.pushed", hidden=True),
    Command(("hooks", "waiter"), "write", "what a push leaves behind", "hooks.worker", hidden=True),
)


def find_verb(args: list[str]) -> Command | None:
    """The verb that the first words name."""
    return next((verb for verb in COMMANDS if tuple(args[: len(verb.words)]) == verb.words), None)
