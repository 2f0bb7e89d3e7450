"""Every verb: its words, its tier, its summary, and the module that is loaded when it is called."""

from __future__ import annotations


class Verb:
    """A row: tier is read or write; `module` has `arguments(parser)` and `run(args, session)`.

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


VERBS: tuple[Verb, ...] = (
    Verb(("ci", "watch"), "read", "wait until CI has decided about a commit", "watch", "homelab-watch"),
    Verb(("ci", "status"), "read", "the same verdict from one look", "status"),
    Verb(("ci", "logs"), "read", "the logs of the steps that failed", "logs"),
    Verb(("ci", "restart"), "write", "run a commit's failed pipelines again, and watch", "restart"),
    Verb(("deploy", "wait"), "read", "wait until a workload runs the commit's image", "deploy"),
    Verb(("work", "land"), "write", "merge, verify, push, watch CI, wait for the rollout", "land", "git land"),
    Verb(("work", "start"), "write", "a worktree for a task", "work_start"),
    Verb(("work", "clean"), "write", "remove a task's worktree and branch", "work_clean"),
    Verb(
        ("hooks", "install"),
        "write",
        "a post-push stage for every push: git hooks that keep what is there",
        "hooks_install",
    ),
    Verb(("hooks", "uninstall"), "write", "take the git hooks out, and put back what was there", "hooks_uninstall"),
    Verb(("hooks", "status"), "read", "which git hooks are there, whose they are, and what fires when", "hooks_status"),
    Verb(("doctor",), "read", "everything a landing depends on, examined, each finding with its remedy", "doctor"),
    Verb(("config",), "read", "every setting in force and where it comes from", "config"),
    Verb(("demo",), "write", "the real landing path against an embedded CI, git server and cluster", "demo"),
    Verb(("manifest",), "read", "every verb with its tier", "manifest"),
    Verb(("hooks", "verify"), "write", "a gate: verify before a push to the target", "hooks_verify", hidden=True),
    Verb(("hooks", "ci-green"), "read", "a gate: no push onto a red branch", "hooks_ci_green", hidden=True),
    Verb(("hooks", "land-only"), "read", "a gate: the target takes git land only", "hooks_land_only", hidden=True),
    Verb(("hooks", "post-push"), "write", "leave a waiter before a push", "hooks_post_push", hidden=True),
    Verb(("hooks", "pushed"), "write", "watch after a plain push", "hooks_pushed", hidden=True),
    Verb(("hooks", "waiter"), "write", "what a push leaves behind", "hooks_waiter", hidden=True),
)


def find(args: list[str]) -> Verb | None:
    """The verb that the first words name."""
    return next((verb for verb in VERBS if tuple(args[: len(verb.words)]) == verb.words), None)
