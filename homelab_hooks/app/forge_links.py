"""Builds the links that ask a forge: Actions and commit statuses, watched as CI is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from homelab_hooks.app import watch_setup
from homelab_hooks.app.forge_setup import ForgeAccess, ForgeRemote, resolve_forge_remote
from homelab_hooks.app.link_setup import ChainContext
from homelab_hooks.ci.provider import Provider
from homelab_hooks.config.address import Dial, ServerUrl, find_dial
from homelab_hooks.config.link_spec import LinkKind, LinkSpec
from homelab_hooks.config.remote_forge import ForgeKind
from homelab_hooks.events import Stage
from homelab_hooks.follow.ci import CiLink
from homelab_hooks.follow.link import Link
from homelab_hooks.git.history import Commit
from homelab_hooks.net.http import HttpClient, find_proxy, resolve_host
from homelab_hooks.watch.poller import WatchDependencies, WatchRequest
from homelab_hooks.watch.state import WatchScope

if TYPE_CHECKING:
    from homelab_hooks.ci.actions.log_download import LogHosts

_STAGES = {LinkKind.ACTIONS: Stage.ACTIONS, LinkKind.STATUS: Stage.STATUS}


def build_forge_link(spec: LinkSpec, context: ChainContext) -> Link:
    """Return the link; the forge is looked for when it begins."""
    runtime = context.session.runtime
    return CiLink(
        build=lambda: _build_watch(spec, context),
        resume_command=context.resume_command,
        clock=runtime.clock,
        emit=context.session.tell,
        name=spec.name,
        kind=spec.kind,
        stage=_STAGES[spec.kind],
    )


def _build_watch(spec: LinkSpec, context: ChainContext) -> tuple[WatchRequest, WatchDependencies]:
    """Return the watch of the remote's forge. Raises CommandError if it cannot be asked."""
    config, runtime, landed = context.limited_config(), context.session.runtime, context.landed
    name = spec.remote or landed.remote
    remote = resolve_forge_remote(config, runtime.git_readonly, name, is_landing_remote=name == landed.remote)
    access = context.connect_forges().connect_api(config, remote)
    ci = _connect_provider(spec, context, remote, access)
    about = watch_setup.CommitContext(Commit(landed.sha), lambda: name, (remote.repo,))
    request = WatchRequest(
        scope=build_forge_scope(spec, landed.sha, landed.branch),
        repo_names=(remote.repo,),
        timeouts=watch_setup.build_timeouts(config),
        seed=runtime.seed(),
    )
    return request, watch_setup.watch_dependencies(runtime, about, ci)


def build_forge_scope(spec: LinkSpec, sha: str, branch: str) -> WatchScope:
    """Return which rows decide: the runs of the push on the target, or every status that the link names."""
    if spec.kind is LinkKind.ACTIONS:
        return WatchScope(sha=sha, events=frozenset({"push"}), branch=branch)
    from homelab_hooks.ci.status.traits import STATUS_EVENT

    return WatchScope(sha=sha, events=frozenset({STATUS_EVENT}))


def _connect_provider(spec: LinkSpec, context: ChainContext, remote: ForgeRemote, access: ForgeAccess) -> Provider:
    sha = context.landed.sha
    if spec.kind is LinkKind.STATUS:
        from homelab_hooks.ci.status.client import StatusClient
        from homelab_hooks.ci.status.connect import make_status_provider
        from homelab_hooks.ci.status.traits import make_status_traits
        from homelab_hooks.forge.reports import CommitReportReader

        reports = CommitReportReader(access.api, has_checks=access.kind is ForgeKind.GITHUB)
        statuses = StatusClient(access.api, reports, sha, spec.context)
        return make_status_provider(statuses, make_status_traits(is_anonymous=access.is_anonymous))
    from homelab_hooks.ci.actions.client import ActionsClient
    from homelab_hooks.ci.actions.connect import make_actions_provider
    from homelab_hooks.ci.actions.traits import make_actions_traits

    client = ActionsClient(access.api, _make_log_hosts(context, remote), sha)
    return make_actions_provider(client, make_actions_traits(access.kind, is_anonymous=access.is_anonymous))


def _make_log_hosts(context: ChainContext, remote: ForgeRemote) -> LogHosts:
    """Return how the hosts of logs are reached: by the address that was checked, and without a token."""
    from homelab_hooks.ci.actions.log_download import LogHosts

    config, runtime = context.config, context.session.runtime

    def resolve(server: ServerUrl, within: float) -> tuple[str, ...]:
        dial = find_dial(server.host, config.connect_to)
        return (str(dial.address),) if dial else resolve_host(server.host, server.port, within)

    def connect(server: ServerUrl, address: str) -> HttpClient:
        port = dial.port if (dial := find_dial(server.host, config.connect_to)) else None
        pinned = Dial(address, port) if address else None
        return HttpClient(server, clock=runtime.clock, dial=pinned, ca_file=config.forge_ca_file)

    def is_proxied(server: ServerUrl) -> bool:
        return find_dial(server.host, config.connect_to) is None and find_proxy(server) is not None

    return LogHosts(remote.place.api_server, resolve, connect, is_proxied)
