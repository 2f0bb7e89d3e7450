"""Puts a watch together from the settings, the commit and the repository."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from homelab_hooks.app import options
from homelab_hooks.app.runtime import Runtime
from homelab_hooks.ci.provider import Provider
from homelab_hooks.ci.providers import default_traits
from homelab_hooks.config.resolve import Config
from homelab_hooks.errors import CommandError
from homelab_hooks.events import ContactLost, ContactRestored, Event
from homelab_hooks.git.containment import Containment, ContainmentCheck
from homelab_hooks.git.history import Commit, GitContainment
from homelab_hooks.git.reader import ReadOnlyRepository
from homelab_hooks.git.remote_url import RepoAddress, choose_remote, parse_remote_url
from homelab_hooks.watch.no_pipeline import CommitFacts
from homelab_hooks.watch.poller import WatchDependencies, WatchRequest
from homelab_hooks.watch.state import WatchScope, WatchTimeouts


class CommitContext(NamedTuple):
    """The commit that a command is about, and the remote that it would be pushed to."""

    commit: Commit
    remote: Callable[[], str]
    """asked only where it matters: for a commit that is not known here, and for why there is no pipeline"""
    names: tuple[str, ...]
    """OWNER/NAME candidates for CI, the likeliest first"""


def resolve_commit(world: Runtime, name: str | None) -> Commit:
    """What COMMIT means here. Raises CommandError where it means nothing."""
    found = world.git_readonly.history.resolve(name or "HEAD")
    if found is not None:
        return found
    if world.git_readonly.location.git_dir() is None:
        hint = "go to a repository, or give a full sha"
        raise CommandError(
            "this is no git repository" + (f", so {name!r} means nothing here" if name else ""), hint=hint
        )
    raise CommandError(f"there is no commit {name or 'HEAD'!r}", hint="give a branch, a tag or a sha that git resolves")


def resolve_context(config: Config, world: Runtime, name: str | None) -> CommitContext:
    """What a watch of COMMIT is about. Raises CommandError where no OWNER/NAME is known."""
    found = resolve_commit(world, name)
    remote = cache(lambda: default_remote(config, world.git_readonly, world.git_readonly.remotes.remote_names()))
    return CommitContext(found, remote, repo_names(config, world.git_readonly, remote))


def repo_names(config: Config, git: ReadOnlyRepository, remote: Callable[[], str]) -> tuple[str, ...]:
    """OWNER/NAME as told, else what the remotes say, the likeliest first. Raises CommandError where nothing says it."""
    found = (config.repo,) if config.repo else names_from_remotes(git, remote())
    if not found:
        raise CommandError("the repository's OWNER/NAME in CI is not known", hint="give it: --repo OWNER/NAME")
    return found


def default_remote(config: Config, git: ReadOnlyRepository, remotes: tuple[str, ...]) -> str:
    """The remote that a push would go to; empty where that cannot be told, for a watch can do without."""
    if not remotes:
        return ""
    try:
        branch = git.history.current_branch()
        pushed = git.remotes.push_remote(branch) if branch else ""
        return choose_remote(
            remotes, wanted=config.remote, push_remote=pushed, push_default=git.remotes.push_default()
        ).name
    except CommandError:
        if config.remote:
            raise
        return ""


def known_target(config: Config, git: ReadOnlyRepository, remote: str) -> str:
    """The branch that is landed on, as far as it is known here; empty where only the remote can tell."""
    return config.onto or (git.remotes.known_head_branch(remote) if remote else "")


def names_from_remotes(git: ReadOnlyRepository, remote: str) -> tuple[str, ...]:
    """OWNER/NAME by the push URLs: those of the chosen remote first, then of the others."""
    found: list[str] = []
    for name in dict.fromkeys(([remote] if remote else []) + list(git.remotes.remote_names())):
        addresses = [parse_remote_url(url) for url in git.remotes.push_urls(name)]
        found += [address.full_name for address in addresses if isinstance(address, RepoAddress)]
    return tuple(dict.fromkeys(found))


def build_timeouts(config: Config) -> WatchTimeouts:
    """How long to wait, as the settings say."""
    return WatchTimeouts(overall=config.timeout, appear=config.appear_timeout, unreachable=config.unreachable_timeout)


def build_scope(commit: Commit, events: list[str] | None) -> WatchScope:
    """Which pipelines decide about it. Raises CommandError for an event that does not exist."""
    traits = default_traits()
    for event in events or ():
        if event not in traits.all_events:
            raise CommandError(f"--event: there is no event {event!r}", hint=f"one of {', '.join(traits.all_events)}")
    chosen = frozenset(events or traits.deciding_events)
    return WatchScope(sha=commit.sha, events=chosen, ref=commit.tag)


def watch_dependencies(
    world: Runtime,
    about: CommitContext,
    ci: Provider,
    *,
    listen: bool = False,
) -> WatchDependencies:
    """Return what a watch reads. With `listen` it also opens the event stream, for a command that waits."""
    return WatchDependencies(
        ci=ci,
        open_stream=ci.open_stream if listen else None,
        contains=_lazy_containment(world.git_readonly, about.remote),
        commit_facts=commit_facts(world.git_readonly, about, ci.traits.config_paths),
    )


def _lazy_containment(git: ReadOnlyRepository, remote: Callable[[], str]) -> ContainmentCheck:
    """Git's answer, with the remote looked for at the first question."""
    containing = cache(lambda: GitContainment(git.history, remote=remote()))

    def contains(*, newer: str, ours: str) -> Containment:
        return containing()(newer=newer, ours=ours)

    return contains


def only_contact_events(tell: Callable[[Event], None]) -> Callable[[Event], None]:
    """For a look whose other news somebody else tells."""

    def told(event: Event) -> None:
        if isinstance(event, ContactLost | ContactRestored):
            tell(event)

    return told


def commit_facts(
    git: ReadOnlyRepository, about: CommitContext, config_paths: tuple[str, ...]
) -> Callable[[], CommitFacts]:
    """What git knows about the commit, found out only when it is asked for."""

    def gather() -> CommitFacts:
        sha, remote = about.commit.sha, about.remote()
        tip = bool(git.remotes.tracking_branches_at(remote, sha)) if remote else None
        pushed = git.remotes.remote_contains(remote, sha) if remote and git.history.has_commit(sha) else None
        return CommitFacts(
            message=git.history.commit_message(sha),
            has_ci_config=git.history.has_ci_configuration(sha, config_paths),
            is_branch_tip=tip,
            is_pushed=pushed,
        )

    return gather


def watch_resume_command(
    given: Mapping[str, Any], name: str, *, deploy: Sequence[str] = (), events: Sequence[str] = ()
) -> str:
    """The command that asks the same once more: the options that were given, and the targets that are waited for.

    Args:
        name: the commit's, or the tag's whose pipelines decide.
    """
    words = [
        "homelab-watch",
        name,
        *options.as_arguments(given, *options.CI_OPTIONS, "remote", *options.TIMEOUT_OPTIONS),
    ]
    words += [word for target in deploy for word in ("--deploy", target)]
    words += options.as_arguments(given, *options.ROLLOUT_OPTIONS) if deploy else []
    return shlex.join(words + [word for event in events for word in ("--event", event)])


def build_watch_request(
    config: Config, world: Runtime, about: CommitContext, decides: WatchScope, *, fail_fast: bool = False
) -> WatchRequest:
    """The watch itself."""
    return WatchRequest(
        scope=decides,
        repo_names=about.names,
        timeouts=build_timeouts(config),
        fail_fast=fail_fast,
        seed=world.seed(),
    )
