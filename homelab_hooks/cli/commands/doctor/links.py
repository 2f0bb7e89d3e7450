"""Checks of the links that follow a push: those that can never begin, and mirrors that lag or cannot be asked."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING

from homelab_hooks.cli.commands.doctor.parallel import DoctorCheck, from_error
from homelab_hooks.config.link_spec import LinkKind, LinkSpec
from homelab_hooks.errors import CommandError
from homelab_hooks.events import Finding, FindingStatus
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.land.preflight import resolve_remote
from homelab_hooks.land.request import LandRequest
from homelab_hooks.polling.outcome import Found, NotFound
from homelab_hooks.text.humanize import pluralize, short_sha

if TYPE_CHECKING:
    from homelab_hooks.app.runtime import Runtime
    from homelab_hooks.config.resolve import Config
    from homelab_hooks.git.repository import Repository


def link_checks(config: Config, runtime: Runtime) -> tuple[DoctorCheck, ...]:
    """Return one check for each configured link; rollouts and CI have checks of their own."""
    return tuple(
        DoctorCheck(
            spec.name,
            lambda spec=spec: _check_link(spec, config, runtime),  # type: ignore[misc]  # mypy infers no type for a default
            f"to see the error, run: git ls-remote {shlex.quote(spec.remote)}" if spec.remote else "",
            ExitCode.USAGE,
            frozenset({"remote"}),
        )
        for spec in config.follow
        if spec.kind in {LinkKind.MIRROR, LinkKind.ACTIONS, LinkKind.STATUS}
    )


def _check_link(spec: LinkSpec, config: Config, runtime: Runtime) -> Iterator[Finding]:
    from homelab_hooks.app.link_setup import check_links

    git = runtime.git_untrusted
    if git.location.top_level() is None:
        return
    try:
        check_links((spec,), git.remotes.remote_names())
    except CommandError as problem:
        yield from_error(spec.name, problem, exit_=ExitCode.USAGE)
        return
    if spec.kind is LinkKind.MIRROR:
        yield from _check_mirror(spec, config, git)


def _check_mirror(spec: LinkSpec, config: Config, git: Repository) -> Iterator[Finding]:
    """Yield whether the mirror has the target's newest commit: after a landing, the link waits until it does."""
    remote = resolve_remote(LandRequest(remote=config.remote, onto=config.onto), git)
    asked = Found(config.onto) if config.onto else git.remotes.head_branch(remote)
    if not isinstance(asked, Found):
        return  # the check of the remote reports it
    branch, source = asked.value, next(iter(git.remotes.push_urls(remote)), remote)
    there, here = git.remotes.ls_remote_as_written(spec.remote, branch), git.remotes.ls_remote_branch(source, branch)
    if isinstance(there, NotFound):
        evidence = f"{spec.remote} has no branch {branch}"
        yield Finding(spec.name, FindingStatus.WARNING, evidence, "check the push mirror in the settings of the forge")
    elif not isinstance(there, Found):
        see = f"to see the error, run: git ls-remote {shlex.quote(spec.remote)}"
        yield Finding(spec.name, FindingStatus.WARNING, f"{spec.remote} cannot be asked: {there.reason}", see)
    elif isinstance(here, Found):
        yield _compare(spec, branch, there.value, here.value, git)


def _compare(spec: LinkSpec, branch: str, mirrored: str, newest: str, git: Repository) -> Finding:
    if mirrored == newest:
        return Finding(spec.name, FindingStatus.OK, f"{branch} on {spec.remote} is up to date")
    is_known = git.history.has_commit(newest) and git.history.has_commit(mirrored)
    behind = f", {pluralize(git.history.commits_ahead(of=mirrored, sha=newest), 'commit')} behind" if is_known else ""
    evidence = f"{branch} on {spec.remote} is at {short_sha(mirrored)}{behind}, not at {short_sha(newest)}"
    return Finding(spec.name, FindingStatus.WARNING, evidence, "check the push mirror in the settings of the forge")
