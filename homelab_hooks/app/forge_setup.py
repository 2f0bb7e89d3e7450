"""Connects to a remote's forge: its address, its kind, and the token that may be sent there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from homelab_hooks.app.runtime import Runtime
from homelab_hooks.auth.forge_token import TokenDestination, VariableChoice, choose_variable, explain_missing_token
from homelab_hooks.auth.git_credentials import GitCredentials, fill_git_credentials
from homelab_hooks.auth.lookup import validate_header_value
from homelab_hooks.config.address import find_dial
from homelab_hooks.config.cleartext import reject_cleartext_http
from homelab_hooks.config.remote_forge import ForgeKind, RemoteForge
from homelab_hooks.config.resolve import Config
from homelab_hooks.errors import CommandError
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.forge.connection import Authorization, ForgeConnection
from homelab_hooks.forge.detect import detect_forge_kind
from homelab_hooks.forge.forges import DISPLAY_NAMES, connect_forge, connect_redelivery
from homelab_hooks.forge.place import ForgePlace, NamedUrl, OriginBasis, RemoteHost, find_forge_place
from homelab_hooks.forge.provider import REQUEST_TIMEOUT_S, Redelivery
from homelab_hooks.git.reader import ReadOnlyRepository
from homelab_hooks.git.remote_url import RepoAddress, parse_remote_url
from homelab_hooks.net.http import HttpClient
from homelab_hooks.polling.outcome import Denied, Found, NotFound, Unavailable
from homelab_hooks.polling.retry import repeat_until

if TYPE_CHECKING:
    from homelab_hooks.forge.pull_requests import PullRequestForge

DETECTION_TIMEOUT_S = 20.0
"""seconds in which the kind of a forge must be detected, retries included"""


class ForgeRemote(NamedTuple):
    """A remote whose forge is known."""

    name: str
    repo: str
    """OWNER/NAME on the forge"""
    place: ForgePlace


def resolve_forge_remote(
    config: Config, git: ReadOnlyRepository, remote: str, *, is_landing_remote: bool = True
) -> ForgeRemote:
    """Return the forge of a remote. Raises CommandError if its push URL names no repository of a forge."""
    own = next((forge for forge in config.remote_forges if forge.remote == remote), RemoteForge(remote))
    parsed = [parse_remote_url(url) for url in (git.remotes.push_urls(remote) if remote else ())]
    address = next((one for one in parsed if isinstance(one, RepoAddress)), None)
    if address is None:
        raise CommandError(
            "there is no remote with the repository's address on a forge",
            hint="pass --remote NAME, or run git config homelab.remote NAME",
        )
    place = find_forge_place(
        NamedUrl(config.forge_url, config.source("forge_url")),
        own,
        RemoteHost(address.host, address.scheme, address.port),
        is_landing_remote=is_landing_remote,
    )
    assert place is not None  # noqa: S101 - the host is known
    repo = strip_forge_path(address.full_name, place)
    if repo.count("/") != 1:
        raise CommandError(
            f"{repo} is not OWNER/NAME of a repository on {place.url}",
            hint=f"set the address of the forge: git config homelab.{remote}.forgeUrl URL",
        )
    return ForgeRemote(remote, repo, place)


def strip_forge_path(full_name: str, place: ForgePlace) -> str:
    """Return OWNER/NAME without the path that a forge below another path has in its repositories' URLs."""
    rest = full_name.removeprefix(place.url.path.lstrip("/") + "/") if place.url.path else full_name
    return rest if "/" in rest else full_name


class ForgeAccess(NamedTuple):
    """A connection to a forge's API, and the kind of the forge."""

    kind: ForgeKind
    api: ForgeConnection

    @property
    def is_anonymous(self) -> bool:
        """Return whether requests carry no token."""
        return not self.api.authorization.value


class ForgeConnector:
    """Connects to forges; detects the kind of each origin once, and sends no variable's token to two origins."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._kinds: dict[str, ForgeKind] = {}
        self._origins_by_variable: dict[str, str] = {}
        self._clients: list[HttpClient] = []

    def close(self) -> None:
        """Close every connection that was opened."""
        while self._clients:
            self._clients.pop().close()

    def connect_api(self, config: Config, remote: ForgeRemote) -> ForgeAccess:
        """Return a connection to the API for reading; github.com is also read without a token.

        Raises:
            CommandError: the forge, its kind, or its token is not available.
        """
        return self._connect(config, remote, is_anonymous_allowed=remote.place.is_github_com)

    def connect_pull_requests(self, config: Config, remote: ForgeRemote) -> PullRequestForge:
        """Return the pull requests of a forge, with a token: nothing is merged without one.

        Raises:
            CommandError: the forge, its kind, or its token is not available.
        """
        from homelab_hooks.forge.forges import WRITER_WORDS, connect_pull_requests

        kind, connection = self._connect(config, remote, is_anonymous_allowed=False)
        return connect_pull_requests(kind, replace(connection, needed_token=WRITER_WORDS[kind]))

    def _connect(self, config: Config, remote: ForgeRemote, *, is_anonymous_allowed: bool) -> ForgeAccess:
        place = remote.place
        client = self._open_client(config, place)
        kind = place.kind or self._detect_kind(client, place)
        try:
            authorization = self._authorize(kind, remote)
        except CommandError as problem:
            if not is_anonymous_allowed or problem.exit is not ExitCode.DENIED:
                client.close()
                raise
            authorization = Authorization("", "a request without a token")
        name = f"{DISPLAY_NAMES[kind]} at {place.url}"
        return ForgeAccess(kind, connect_forge(kind, place, client, authorization, name=name))

    def connect_redelivery(self, config: Config, remote: ForgeRemote) -> Redelivery:
        """Return the redelivery service. Raises CommandError if the forge, its kind, or its token is not available.

        No request carries a token before the kind and the origin are known.
        """
        place = remote.place
        client = self._open_client(config, place)
        kind = place.kind or self._detect_kind(client, place)
        authorization = self._authorize(kind, remote)
        return connect_redelivery(kind, place, client, authorization)

    def _open_client(self, config: Config, place: ForgePlace) -> HttpClient:
        server = place.api_server
        dial = find_dial(server.host, config.connect_to)
        if not config.allows_http:
            reject_cleartext_http(server, dial, place.source)
        self._runtime.check_file(config, "forge_ca_file")
        client = HttpClient(server, clock=self._runtime.clock, dial=dial, ca_file=config.forge_ca_file)
        self._clients.append(client)
        return client

    def _detect_kind(self, client: HttpClient, place: ForgePlace) -> ForgeKind:
        origin = str(place.url)
        if origin not in self._kinds:
            clock = self._runtime.clock
            poll = repeat_until(
                lambda within: detect_forge_kind(client, place.url.path, within=min(within, REQUEST_TIMEOUT_S)),
                until=clock.now() + DETECTION_TIMEOUT_S,
                clock=clock,
            )
            match poll:
                case Found(kind):
                    self._kinds[origin] = kind
                case Denied(reason, hint=hint, exit=exit_):
                    raise CommandError(f"{reason} ({origin})", hint=hint, exit=exit_)
                case Unavailable(reason, hint=hint):
                    raise CommandError(f"{reason} ({origin})", hint=hint, exit=ExitCode.UNREACHABLE)
                case NotFound(reason):
                    raise CommandError(f"{reason} ({origin})", exit=ExitCode.DENIED)
        return self._kinds[origin]

    def _authorize(self, kind: ForgeKind, remote: ForgeRemote) -> Authorization:
        """Return the credential for a forge. Raises CommandError (denied) if there is none."""
        place = remote.place
        destination = TokenDestination(
            kind,
            place.api_server.origin,
            is_named=place.basis is OriginBasis.NAMED,
            is_landing_remote=place.basis is OriginBasis.LANDING_REMOTE,
        )
        environ: Mapping[str, str] = self._runtime.environ
        choice = choose_variable(destination, environ, origins_by_variable=self._origins_by_variable)
        if choice.name:
            token = validate_header_value(environ[choice.name].strip(), choice.name)
            self._origins_by_variable[choice.name] = destination.origin
            return Authorization.from_token(token, choice.name)
        return self._authorize_with_git(choice, destination, remote)

    def _authorize_with_git(
        self, choice: VariableChoice, destination: TokenDestination, remote: ForgeRemote
    ) -> Authorization:
        url = remote.place.url
        found = fill_git_credentials(url, self._runtime.credential_runner())
        if not isinstance(found, GitCredentials):
            name = f"{DISPLAY_NAMES[destination.kind]} at {url}"
            message, hint = explain_missing_token(choice, destination, forge_name=name, helper_reason=found.reason)
            hint = hint.replace("homelab.REMOTE.forgeUrl URL", f"homelab.{remote.name}.forgeUrl {url}")
            raise CommandError(message, hint=hint, exit=ExitCode.DENIED)
        source = "git's credential helpers"
        self._runtime.redact.add(found.password)
        authorization = Authorization.from_password(found.user, found.password, source)
        encoded = authorization.value.removeprefix("Basic ")
        self._runtime.redact.add(validate_header_value(encoded, source))
        return authorization
