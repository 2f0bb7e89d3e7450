"""Checks of the CI server: DNS, connection, certificate, clock, user, repository, and permissions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from homelab_hooks.app import resolve_names, watch_setup
from homelab_hooks.app.runtime import Runtime
from homelab_hooks.ci.certificate import get_certificate_remedy
from homelab_hooks.ci.failure_remedy import FAILURE_REMEDIES, get_failure_remedy
from homelab_hooks.ci.model import Repo
from homelab_hooks.ci.provider import Provider
from homelab_hooks.ci.providers import default_traits
from homelab_hooks.cli.commands.doctor.parallel import DoctorCheck, make_problem
from homelab_hooks.cli.commands.doctor.scope import set_in_scope
from homelab_hooks.cli.commands.doctor.token import TOKEN_CHECK
from homelab_hooks.config.resolve import Config
from homelab_hooks.config.schema import WhenBusy
from homelab_hooks.errors import CommandError
from homelab_hooks.events import Finding, FindingStatus
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.net.certificate import Certificate
from homelab_hooks.net.message import HttpResponse, RequestFailed
from homelab_hooks.net.probe_result import Connected, ConnectFailed, DnsFailed, TlsFailed, ViaProxy
from homelab_hooks.net.responder import describe_responder
from homelab_hooks.polling.outcome import Denied, Found
from homelab_hooks.text import durations
from homelab_hooks.text.humanize import pluralize
from homelab_hooks.watch import access

CHECK_REQUEST_TIMEOUT_S = 3.5
"""seconds for one request; shorter than the time for all checks, so that a slow server is named as the cause"""
CONNECT_TIMEOUT_S = 2.0
"""for a connection to each address of the server"""
SHORT_LIFE_DAYS = 2
"""days before a certificate's end from which the time of its end is shown"""
MAX_CLOCK_SKEW_S = 30.0
"""seconds of difference between the clocks from which the printed ages and durations are visibly wrong"""
_DAY_SECONDS = 86400
SERVER_CHECK = "server"
_SERVER_ERRORS = range(500, 511)
_TOO_MANY_REQUESTS = 429


def ci_checks(config: Config, runtime: Runtime) -> tuple[DoctorCheck, ...]:
    """Return the checks of the connection, and of what the server reports about the token and the repository."""
    traits = default_traits()
    return (
        DoctorCheck(
            SERVER_CHECK,
            lambda: _check_connection(config, runtime),
            f"to see the error, run: curl -v {config.server}{traits.health_path}",
        ),
        DoctorCheck("clock", lambda: _check_clocks(config, runtime), "", reports_silence=False),
        DoctorCheck(
            "ci",
            lambda: _check_ci(config, runtime),
            f"to see the error, run: curl -v {config.server}{traits.version_path}",
            needs=frozenset({TOKEN_CHECK, SERVER_CHECK}),
        ),
    )


def _check_connection(config: Config, runtime: Runtime) -> Iterator[Finding]:
    if any(value.problem and value.setting.name == "server" for value in config.values):
        yield Finding(SERVER_CHECK, FindingStatus.SKIPPED, "not checked, because of: settings")
        return
    server = runtime.server(config)
    dialled = f" (dial {config.dial})" if config.dial else ""
    match runtime.probe_server(config, timeout=CONNECT_TIMEOUT_S):
        case DnsFailed(reason):
            hint = f"check the server's name, or set an address: {set_in_scope(config, 'dial', 'IP')}"
            yield make_problem("server", f"could not resolve {server.host}: {reason}", hint)
        case ConnectFailed(addresses, reason):
            hint = f"check {config.source('dial') if config.dial else 'VPN, firewall and the server'}"
            hint = f"{hint}; or set another address: {set_in_scope(config, 'dial', 'IP')}"
            yield make_problem("server", f"could not connect to {server} at {', '.join(addresses)}: {reason}", hint)
        case TlsFailed(address, reason, fault, cause):
            hint = FAILURE_REMEDIES[cause] if cause else "check the server's TLS settings"
            hint = get_certificate_remedy(fault) if fault else hint
            yield make_problem("certificate", f"{server} at {address}: {reason}", hint)
        case ViaProxy(proxy):
            yield _check_responder(config, runtime, f"{server} through the proxy {proxy}")
        case Connected() as there:
            took = f"{there.seconds * 1000:.0f} ms"
            yield _check_responder(config, runtime, f"{server} responds at {there.address}{dialled} in {took}")
            if there.certificate is not None:
                yield _check_certificate(there.certificate, runtime.clock.wall())


def _check_responder(config: Config, runtime: Runtime, evidence: str) -> Finding:
    """Check whose response comes from the address: a forge, a proxy, or a portal responds too."""
    stranger = _find_stranger(config, runtime)
    if stranger is None:
        return Finding("server", FindingStatus.OK, evidence)
    if isinstance(stranger, RequestFailed):
        return make_problem("server", f"{config.server}: {stranger.reason}", get_failure_remedy(stranger))
    who = describe_responder(stranger)
    evidence = f"{evidence}, but not as {default_traits().name}: {stranger.status}" + (f" ({who})" if who else "")
    set_address = set_in_scope(config, "server", "URL")
    hint = f"set the address of CI itself: {set_address}; or exempt it from the proxy's login"
    return make_problem("server", evidence, hint)


def _find_stranger(config: Config, runtime: Runtime) -> HttpResponse | RequestFailed | None:
    """Return the response of another server, or a failure whose cause is known: a proxy's, or a port's.

    None if one of two responses is CI's own, or if it cannot be told. The token is not needed for that.
    """
    traits = default_traits()
    client = runtime.http_client(config, token="")
    stranger = None
    for path in (traits.health_path, traits.version_path):
        reply = client.request("GET", path, timeout=CHECK_REQUEST_TIMEOUT_S)
        if isinstance(reply, RequestFailed):
            return reply if get_failure_remedy(reply) else None
        if traits.version_header in reply.headers:
            return None
        if reply.status in (traits.healthy_status, _TOO_MANY_REQUESTS, *_SERVER_ERRORS):
            return None
        stranger = reply
    return stranger


def _check_certificate(certificate: Certificate, now: float) -> Finding:
    left = certificate.expires - now
    until = datetime.fromtimestamp(certificate.expires, UTC)
    is_short = left < SHORT_LIFE_DAYS * _DAY_SECONDS
    when = until.strftime("%Y-%m-%d %H:%M UTC") if is_short else until.date().isoformat()
    rest = durations.format_duration(left) if is_short else pluralize(int(left // _DAY_SECONDS), "day")
    evidence = f"issued by {certificate.issuer}, expires {when} (in {rest})"
    if certificate.is_due(now):
        return Finding("certificate", FindingStatus.WARNING, evidence, "renew the certificate")
    return Finding("certificate", FindingStatus.OK, evidence)


def _check_ci(config: Config, runtime: Runtime) -> Iterator[Finding]:
    """Yield the findings that need a token; a missing server or token has its own finding."""
    try:
        ci, git = runtime.ci_provider(config), runtime.git_readonly
    except CommandError:  # the checks of the settings, the token or the server report it
        return
    try:
        names = watch_setup.repo_names(
            config, git, lambda: resolve_names.default_remote(config, git, git.remotes.remote_names())
        )
    except CommandError as problem:
        yield make_problem("repository", problem.message, problem.hint)
        return
    try:
        there = access.check_ci_access(ci, names, clock=runtime.clock, timeout_s=CHECK_REQUEST_TIMEOUT_S)
    except CommandError as problem:
        yield make_problem("ci", problem.message, problem.hint)
        return
    yield Finding("user", FindingStatus.OK, f"authenticated as {there.login}")
    name = there.repo.full_name or names[0]
    if not there.repo.active:
        yield Finding(
            "repository", FindingStatus.PROBLEM, f"{name} is not active in CI: no pipeline would run",
            f"activate it at {config.server}{ci.traits.activate_path}", ExitCode.NO_PIPELINE,
        )  # fmt: skip
    else:
        yield Finding("repository", FindingStatus.OK, f"{name} is active in CI{_rights(ci, there.repo)}")
        yield from _check_cancelling(config, there.repo)


def _check_cancelling(config: Config, repo: Repo) -> Iterator[Finding]:
    """Yield a warning if a push cancels running push pipelines, unless `git land` is set to wait or to refuse."""
    if "push" not in repo.cancels_previous or config.when_busy in {WhenBusy.WAIT, WhenBusy.REFUSE}:
        return
    if config.when_busy is WhenBusy.AUTO:
        evidence = (
            "a push cancels running push pipelines; git land waits if the configuration shows that work would be lost"
        )
    else:
        evidence = "a push cancels running push pipelines, and git land pushes nevertheless (--when-busy push)"
    wait = set_in_scope(config, "when_busy", "wait", unset="local")
    yield Finding("cancelling", FindingStatus.WARNING, evidence, f"{wait}; {_CANCELLING_REMEDY}")


_CANCELLING_REMEDY = (
    "for plain pushes too, switch off cancelling for push in the project's settings in Woodpecker, and use "
    "`concurrency` (3.16)"
)


def _rights(ci: Provider, repo: Repo) -> str:
    """Return what the token may do beyond watching, as far as CI reports it."""
    push, may = ci.account.can_push(repo, within=CHECK_REQUEST_TIMEOUT_S), []
    if isinstance(push, Found):
        may.append("can restart pipelines" if push.value else "cannot restart pipelines")
    queue = ci.account.queue(within=CHECK_REQUEST_TIMEOUT_S)
    if isinstance(queue, Found | Denied):
        may.append("can read the queue" if isinstance(queue, Found) else "cannot read the queue")
    return f"; the token {', '.join(may)}" if may else ""


def _check_clocks(config: Config, runtime: Runtime) -> Iterator[Finding]:
    """Compare the server's Date header with this clock; a missing server or response has its own finding."""
    try:
        reply = runtime.http_client(config, token="").request(
            "GET", default_traits().health_path, timeout=CHECK_REQUEST_TIMEOUT_S
        )
    except CommandError:
        return
    if not isinstance(reply, HttpResponse):
        return
    try:
        theirs = parsedate_to_datetime(reply.headers["date"]).timestamp()
    except (KeyError, ValueError, TypeError):
        return
    skew = runtime.clock.wall() - theirs
    if abs(skew) > MAX_CLOCK_SKEW_S:
        which = "ahead of" if skew > 0 else "behind"
        evidence = f"this machine's clock is {durations.format_duration(abs(skew))} {which} the server's"
        yield Finding(
            "clock", FindingStatus.WARNING, evidence, "synchronize the clock that is wrong: timedatectl set-ntp true"
        )
