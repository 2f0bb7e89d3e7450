"""Builds a CI watch from the settings, the commit, and the repository."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from homelab_hooks.app import options
from homelab_hooks.app.pipeline_filter import are_workflows_filtered
from homelab_hooks.app.resolve_names import default_remote, resolve_commit
from homelab_hooks.app.runtime import Runtime
from homelab_hooks.ci.model import Repo
from homelab_hooks.ci.provider import Provider, Traits, find_skip_marker
from homelab_hooks.ci.providers import default_traits
from homelab_hooks.config.resolve import Config
from homelab_hooks.errors import CommandError
from homelab_hooks.events import ContactLost, ContactRestored, Event, Waiting
from homelab_hooks.git.containment import Containment, ContainmentCheck
from homelab_hooks.git.history import Commit, GitContainment
from homelab_hooks.git.reader import ReadOnlyRepository
from homelab_hooks.git.remote_url import RepoAddress, parse_remote_url
from homelab_hooks.polling.contact import HEARTBEAT_INTERVAL_S
from homelab_hooks.watch.poller import WatchDependencies, WatchRequest
from homelab_hooks.watch.state import WatchScope, WatchTimeouts

if TYPE_CHECKING:
    from homelab_hooks.watch.no_pipeline import CommitFacts


class CommitContext(NamedTuple):
    """The commit that a command is about, and the remote it is pushed to."""

    commit: Commit
    remote: Callable[[], str]
    """called only if needed: for a commit that is missing locally, and to explain a missing pipeline"""
    names: tuple[str, ...]
    """OWNER/NAME candidates in CI, the most likely first"""


def resolve_context(
    config: Config, runtime: Runtime, name: str | None, *, events: Sequence[str] | None = None
) -> CommitContext:
    """Return the context of a watch of COMMIT. Raises CommandError if no OWNER/NAME is known.

    Args:
        events: the events that were named; with `tag`, the pipelines of all tags of the commit are meant.
    """
    found = resolve_commit(runtime, name)
    if "tag" in (events or ()) and not found.tag:
        tags = runtime.git_readonly.history.annotated_tags_at(found.sha)
        found = found._replace(tag_objects=(*found.tag_objects, *tags))
    remote = cache(lambda: default_remote(config, runtime.git_readonly, runtime.git_readonly.remotes.remote_names()))
    return CommitContext(found, remote, repo_names(config, runtime.git_readonly, remote))


def repo_names(config: Config, git: ReadOnlyRepository, remote: Callable[[], str]) -> tuple[str, ...]:
    """Return the configured OWNER/NAME, else those of the remotes. Raises CommandError if there is none."""
    found = (config.repo,) if config.repo else names_from_remotes(git, remote())
    if not found:
        raise CommandError(
            "could not determine the repository's OWNER/NAME in CI",
            hint="pass --repo OWNER/NAME, or set homelab.ciRepo",
        )
    return found


def names_from_remotes(git: ReadOnlyRepository, remote: str) -> tuple[str, ...]:
    """Return OWNER/NAME from the push URLs: of the chosen remote first, then of the others."""
    found: list[str] = []
    for name in dict.fromkeys(([remote] if remote else []) + list(git.remotes.remote_names())):
        addresses = [parse_remote_url(url) for url in git.remotes.push_urls(name)]
        found += [address.full_name for address in addresses if isinstance(address, RepoAddress)]
    return tuple(dict.fromkeys(found))


def build_timeouts(config: Config) -> WatchTimeouts:
    """Return the timeouts from the settings."""
    return WatchTimeouts(overall=config.timeout, appear=config.appear_timeout, unreachable=config.unreachable_timeout)


def require_known_event(event: str, *, where: str) -> None:
    """Raise CommandError (usage) for an event that CI does not have.

    Args:
        where: the option or the link that names it.
    """
    known = default_traits().all_events
    if event not in known:
        raise CommandError(f"{where}: unknown event {event!r}", hint=f"expected one of {', '.join(known)}")


def build_scope(commit: Commit, events: list[str] | None) -> WatchScope:
    """Return which pipelines decide about the commit. Raises CommandError for an unknown event."""
    traits = default_traits()
    for event in events or ():
        require_known_event(event, where="--event")
    chosen = frozenset(events or traits.deciding_events)
    return WatchScope(sha=commit.sha, events=chosen, ref=commit.tag, tag_objects=frozenset(commit.tag_objects))


def watch_dependencies(
    runtime: Runtime,
    about: CommitContext,
    ci: Provider,
    *,
    listen: bool = False,
) -> WatchDependencies:
    """Return what a watch of this commit depends on.

    Args:
        listen: whether to open the event stream, for a command that waits.
    """
    return WatchDependencies(
        ci=ci,
        open_stream=ci.open_stream if listen else None,
        open_log_stream=ci.open_log_stream if listen and runtime.is_live else None,
        contains=_lazy_containment(runtime, about.remote),
        find_dependence=_lazy_dependence(runtime, ci.traits),
        skip_marker=_lazy_skip_marker(runtime, about.commit, ci.traits),
        commit_facts=commit_facts(runtime.git_readonly, about, ci.traits),
    )


def _lazy_containment(runtime: Runtime, remote: Callable[[], str]) -> ContainmentCheck:
    """Return a check whether one commit contains another; it looks up the remote at its first call."""
    containing = cache(lambda: GitContainment(runtime.git_readonly.history, now=runtime.clock.now, remote=remote()))

    def contains(*, newer: str, ours: str) -> Containment:
        return containing()(newer=newer, ours=ours)

    return contains


def _lazy_dependence(runtime: Runtime, traits: Traits) -> Callable[[Repo, str], str]:
    """Return a check whether runs of a commit depend on the one before; few watches need it and its imports."""

    @cache
    def make_finder() -> Callable[[Repo, str], str]:
        from homelab_hooks.app.previous_state import cache_dependence

        return cache_dependence(runtime.git_readonly, traits)

    def find(repo: Repo, sha: str) -> str:
        return make_finder()(repo, sha)

    return find


def _lazy_skip_marker(runtime: Runtime, commit: Commit, traits: Traits) -> Callable[[], str]:
    """Return a function that looks for a skip marker in the message; a push of a tag is never skipped."""
    if commit.tag:
        return str
    return lambda: find_skip_marker(runtime.git_readonly.history.commit_message(commit.sha), traits)


def only_contact_events(tell: Callable[[Event], None]) -> Callable[[Event], None]:
    """Pass on only lost and restored contact, and heartbeats; the caller reports everything else itself."""

    def emit_contact(event: Event) -> None:
        is_heartbeat = isinstance(event, Waiting) and event.elapsed >= HEARTBEAT_INTERVAL_S
        if is_heartbeat or isinstance(event, ContactLost | ContactRestored):
            tell(event)

    return emit_contact


def commit_facts(git: ReadOnlyRepository, about: CommitContext, traits: Traits) -> Callable[[], CommitFacts]:
    """Return a function that collects facts from git about the commit, to explain a missing pipeline."""

    def gather() -> CommitFacts:
        from homelab_hooks.watch.no_pipeline import CommitFacts

        sha, remote = about.commit.sha, about.remote()
        branches = git.remotes.tracking_branches_at(remote, sha) if remote else ()
        pushed = git.remotes.remote_contains(remote, sha) if remote and git.history.has_commit(sha) else None
        return CommitFacts(
            message=git.history.commit_message(sha),
            has_ci_config=git.history.has_ci_configuration(sha, traits.config_paths),
            is_branch_tip=bool(branches) if remote and git.history.has_commit(sha) else None,
            is_pushed=pushed,
            is_filtered=are_workflows_filtered(git, about.commit, remote, branches, traits),
            event="tag" if about.commit.tag else "push",
        )

    return gather


def watch_resume_command(
    given: Mapping[str, Any], name: str, *, deploy: Sequence[str] = (), events: Sequence[str] = ()
) -> str:
    """Return the command that resumes this watch.

    Args:
        given: the command's options by name.
        name: a SHA, or the tag whose pipelines decide.
    """
    words = [
        "homelab-watch",
        name,
        *options.as_arguments(
            given, *options.CI_OPTIONS, "remote", *options.DECIDING_OPTIONS, *options.TIMEOUT_OPTIONS
        ),
    ]
    words += [word for target in deploy for word in ("--deploy", target)]
    words += options.as_arguments(given, *options.PROOF_OPTIONS, *options.ROLLOUT_OPTIONS) if deploy else []
    return shlex.join(words + [word for event in events for word in ("--event", event)])


def build_watch_request(
    config: Config, runtime: Runtime, about: CommitContext, decides: WatchScope, *, fail_fast: bool = False
) -> WatchRequest:
    """Return the watch that the settings ask for."""
    return WatchRequest(
        scope=decides._replace(workflows=config.workflow, superseded=config.superseded),
        repo_names=about.names,
        timeouts=build_timeouts(config),
        fail_fast=fail_fast,
        seed=runtime.seed(),
    )
