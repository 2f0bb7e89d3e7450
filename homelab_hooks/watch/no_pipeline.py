"""Explains why a commit has no pipeline, from facts of git and CI."""

from __future__ import annotations

from typing import NamedTuple

from homelab_hooks.ci.provider import Traits, find_skip_marker

LAND_EMPTY_COMMIT = "land an empty commit with git commit --allow-empty and git land"
"""the remedy for a lost webhook that always works"""
LOST_WEBHOOK_HINT = f"run homelab ci restart --redeliver, or {LAND_EMPTY_COMMIT}"
"""what sends the push to CI again; a manual pipeline may run other workflows"""


class CommitFacts(NamedTuple):
    """Facts about the commit from git; None if not known."""

    message: str = ""
    has_ci_config: bool | None = None
    """a pipeline configuration exists at that commit"""
    is_branch_tip: bool | None = None
    """the commit is the tip of a branch on the remote"""
    is_pushed: bool | None = None
    """a branch of the remote contains the commit, according to the remote-tracking branches"""
    is_repo_active: bool | None = None
    """the repository is active in CI"""
    is_filtered: bool | None = None
    """no workflow's conditions match, according to the configuration at the commit"""
    event: str = "push"
    """the event for which the conditions were evaluated"""


def explain_no_pipeline(
    facts: CommitFacts, traits: Traits, *, was_filtered: bool, searched_rows: int = 0
) -> tuple[str, str]:
    """Return the most likely reason and its fix.

    Args:
        facts: those of git about the commit, and whether the repository is active in CI.
        traits: the provider's skip marker and configuration paths.
        was_filtered: a pipeline was seen as `created` and then vanished.
        searched_rows: the newest pipelines that were searched, if there are older ones; 0 if all were.
    """
    marker = "" if facts.event == "tag" else find_skip_marker(facts.message, traits)
    if facts.is_repo_active is False:
        return "the repository is not active in CI", f"activate the repository in {traits.name}"
    if marker:
        return (
            f"the commit message contains {marker}",
            f"push a commit without {marker}",
        )
    if facts.has_ci_config is False:
        return f"there is no {traits.name} configuration at this commit", f"add {traits.config_hint}"
    if was_filtered:
        return (
            "the pipeline was filtered out: no workflow's conditions match",
            "check the `when` conditions of the workflows",
        )
    return _not_pushed(facts) or _filtered(facts) or _not_found(facts, searched_rows, traits)


def _filtered(facts: CommitFacts) -> tuple[str, str] | None:
    """Return the reason and fix if the configuration shows that the server had nothing to run."""
    if facts.is_filtered:
        return (
            f"filtered: no workflow's conditions match this {facts.event}",
            "this may be intended; otherwise change the `when` conditions of the workflows and push a commit",
        )
    return None


def _not_found(facts: CommitFacts, searched_rows: int, traits: Traits) -> tuple[str, str]:
    """Return what may have happened to an unknown commit.

    A search that ended early proves no absence, and conditions that are not decided here may have filtered it out.
    """
    if searched_rows:
        lost = "if the commit was pushed just now, the forge's webhook may have been lost"
        return (
            f"not among the newest {searched_rows} pipelines; {lost}",
            f"look for an older pipeline in CI, or {_redelivery_hint(facts)}",
        )
    if traits.absence[0]:
        return traits.absence
    filters = ", or no workflow's conditions match" if facts.has_ci_config and facts.is_filtered is None else ""
    return (
        f"no reason found; the forge's webhook may have been lost{filters}",
        _redelivery_hint(facts),
    )


def _redelivery_hint(facts: CommitFacts) -> str:
    """Return what to do about a lost webhook. Gitea and Forgejo cannot send that of a tag again."""
    if facts.event == "tag":
        return "delete the tag on the forge and push it again, or, on GitHub, run: homelab ci restart TAG --redeliver"
    return LOST_WEBHOOK_HINT


def _not_pushed(facts: CommitFacts) -> tuple[str, str] | None:
    """Return the reason and fix for a commit that CI was not notified about."""
    if facts.is_pushed is False:
        return "the commit is not on any known branch of the remote", "push the commit, or run: git land"
    if facts.is_branch_tip is False:
        return "the commit is not the tip that was pushed: only tips get a pipeline", "watch the tip of the branch"
    return None
