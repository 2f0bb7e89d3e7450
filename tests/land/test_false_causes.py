"""A landing that fails has the true cause, and ends at once where a repetition would fail too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from homelab_hooks.config.schema import Strategy
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.simulators.repositories import Clone, ScratchRepositories
from homelab_hooks.verdict import Verdict

pytestmark = pytest.mark.slow  # many processes of git each


def test_a_refusal_of_the_servers_reference_transaction_hook_is_final(
    workshop: ScratchRepositories, ann: Clone, git_land: Callable[..., Verdict], events: Any
) -> None:
    """One push, and the words of the hook."""
    workshop.write_hook("reference-transaction", "echo no changes on Fridays >&2; exit 1")
    verdict = git_land(ann)
    assert (verdict.exit, verdict.landed) == (ExitCode.PUSH_FAILED, False)
    assert verdict.reason == "the push was rejected: no changes on Fridays"
    assert [name for name, _ in events.stages()].count("push") == 1


def test_a_format_of_the_to_do_list_does_not_stop_a_rebase(
    workshop: ScratchRepositories, ann: Clone, git_land: Callable[..., Verdict]
) -> None:
    bob = workshop.clone("bob")
    bob.commit("b")
    bob.git("push", "--quiet", "origin", "main")
    ann.git("config", "rebase.instructionFormat", "%s%n%s")
    assert git_land(ann, strategy=Strategy.REBASE).landed is True


@pytest.mark.parametrize(
    "content", ["#!/nowhere/python3\n", "#!/bin/sh\r\nexit 0\r\n", None], ids=["gone", "CRLF", "folder"]
)
def test_a_pre_push_hook_that_cannot_be_started_ends_the_landing(
    ann: Clone, git_land: Callable[..., Verdict], events: Any, content: str | None
) -> None:
    """Git would wait for ever: it takes the hook that did not start for any of its children (run-command.c)."""
    hook = ann.path / ".git/hooks/pre-push"
    if content is None:
        hook.mkdir(parents=True)
    else:
        ann.write(".git/hooks/pre-push", content)
        hook.chmod(0o755)
    verdict = git_land(ann)
    assert (verdict.exit, verdict.landed) == (ExitCode.PUSH_FAILED, False)
    assert f"the pre-push hook rejected the push: it cannot be started: {hook}" in verdict.reason
    assert verdict.hint == "fix or remove that hook, then run the same command again"
    assert [name for name, _ in events.stages()].count("push") == 1


@pytest.mark.parametrize("mode", [0o644, 0o755])
def test_a_pre_push_hook_that_git_ignores_or_runs_with_a_shell_is_no_obstacle(
    ann: Clone, git_land: Callable[..., Verdict], mode: int
) -> None:
    ann.write(".git/hooks/pre-push", "#!/nowhere/python3\n" if mode == 0o644 else "exit 0\n")
    (ann.path / ".git/hooks/pre-push").chmod(mode)
    assert git_land(ann).landed


@pytest.fixture
def diverged(workshop: ScratchRepositories, ann: Clone) -> Clone:
    """Ann's clone, after the target has moved: the landing makes a merge commit."""
    bob = workshop.clone("bob")
    bob.commit("b")
    bob.git("push", "--quiet", "origin", "main")
    return ann


@pytest.mark.parametrize(
    ("hook", "script", "hint"),
    [
        ("pre-merge-commit", "echo the linter is missing >&2; exit 1", "fix the hook"),
        ("commit-msg", "exit 1", "fix the hook"),
        (
            "reference-transaction",
            "while read old new ref; do [ $1$ref != preparedrefs/heads/topic ] || [ $old = $new ] || exit 1; done",
            "fix the hook",
        ),
        ("prepare-commit-msg", """printf '\\n' >"$1" """, "check the message"),
    ],
)
def test_a_hook_that_keeps_the_merge_from_being_committed_is_the_cause(
    workshop: ScratchRepositories,
    diverged: Clone,
    git_land: Callable[..., Verdict],
    *,
    hook: str,
    script: str,
    hint: str,
) -> None:
    workshop.write_hook(hook, script, where=diverged.path / ".git/hooks")
    verdict = git_land(diverged)
    assert (verdict.exit, verdict.landed, hint in verdict.hint) == (ExitCode.PUSH_FAILED, False, True), verdict


def test_a_merge_that_git_itself_cannot_commit_is_no_fault_of_a_hook(
    diverged: Clone, git_land: Callable[..., Verdict], seal: dict[str, str]
) -> None:
    """An unknown cause is not a hook's: the user would look for one that does not exist."""
    seal["GIT_AUTHOR_DATE"] = "garbage"
    verdict = git_land(diverged)
    assert (verdict.exit, verdict.landed) == (ExitCode.REFUSED, False)
    assert "invalid date format: garbage" in verdict.reason
    assert verdict.hint == "fix what git reports, then run git land again"


def test_files_with_conflicts_but_no_merge_are_not_to_be_stashed(ann: Clone, git_land: Callable[..., Verdict]) -> None:
    """`git stash` refuses them; `git stash pop` and `git merge --quit` leave them."""
    ann.write("a", "stashed\n")
    ann.git("stash")
    ann.commit("a", "committed\n")
    with pytest.raises(RuntimeError):
        ann.git("stash", "pop")
    verdict = git_land(ann)
    assert (verdict.exit, verdict.reason) == (ExitCode.REFUSED, "these files have unresolved conflicts: a")
    assert "git stash" not in verdict.hint
    assert "git checkout HEAD -- FILE" in verdict.hint
    ann.git("checkout", "HEAD", "--", "a")
    ann.git("stash", "drop")
    assert git_land(ann).landed
