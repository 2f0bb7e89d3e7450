"""The kinds of forges: the path of the API, and the services of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from homelab_hooks.config.remote_forge import ForgeKind
from homelab_hooks.forge.connection import Authorization, ForgeConnection, ForgeTransport
from homelab_hooks.forge.place import ForgePlace
from homelab_hooks.forge.provider import Redelivery

if TYPE_CHECKING:
    from homelab_hooks.forge.pull_requests import PullRequestForge

DISPLAY_NAMES = {ForgeKind.GITEA: "Gitea", ForgeKind.FORGEJO: "Forgejo", ForgeKind.GITHUB: "GitHub"}
"""the kinds as people write them"""


READER_WORDS = "a token that may read the repository"
_GITEA_WRITER_WORDS = "a token with write access to the repository (scope write:repository)"
WRITER_WORDS = {
    ForgeKind.GITEA: _GITEA_WRITER_WORDS,
    ForgeKind.FORGEJO: _GITEA_WRITER_WORDS,
    ForgeKind.GITHUB: "a token that may write Contents and Pull requests, and read Checks and Commit statuses",
}
"""what the merge of a pull request needs, and nothing more"""


def connect_forge(
    kind: ForgeKind, place: ForgePlace, transport: ForgeTransport, authorization: Authorization, *, name: str
) -> ForgeConnection:
    """Return a connection to a forge's API for reading; nothing is sent before the first request."""
    headers: Mapping[str, str] = {}
    if kind is ForgeKind.GITHUB:
        from homelab_hooks.forge.github.redelivery import GITHUB_HEADERS

        headers = GITHUB_HEADERS
    path = get_api_path(kind, place)
    return ForgeConnection(transport, path, name, authorization, headers, needed_token=READER_WORDS)


def connect_redelivery(
    kind: ForgeKind, place: ForgePlace, transport: ForgeTransport, authorization: Authorization
) -> Redelivery:
    """Return the redelivery service of a forge; nothing is sent before the first request."""
    name = f"{DISPLAY_NAMES[kind]} at {place.url}"
    if kind is ForgeKind.GITHUB:
        from homelab_hooks.forge.github.redelivery import GITHUB_HEADERS, GitHubRedelivery

        api_path = get_api_path(kind, place)
        return GitHubRedelivery(ForgeConnection(transport, api_path, name, authorization, GITHUB_HEADERS))
    from homelab_hooks.forge.gitea.redelivery import GiteaRedelivery

    return GiteaRedelivery(ForgeConnection(transport, get_api_path(kind, place), name, authorization))


def connect_pull_requests(kind: ForgeKind, connection: ForgeConnection) -> PullRequestForge:
    """Return the pull requests of a forge; nothing is sent before the first request."""
    from homelab_hooks.forge.pull_requests import PullRequestForge

    if kind is ForgeKind.GITHUB:
        from homelab_hooks.forge.github.pull_requests import GitHubPullRequests

        github = GitHubPullRequests(connection)
        return PullRequestForge(kind, connection.name, target=github, pulls=github, gate=github)
    from homelab_hooks.forge.gitea.pull_requests import GiteaPullRequests

    gitea = GiteaPullRequests(connection, kind)
    return PullRequestForge(kind, connection.name, target=gitea, pulls=gitea, gate=gitea)


def get_api_path(kind: ForgeKind, place: ForgePlace) -> str:
    """Return what the paths of the API begin with; github.com has a host of its own for it."""
    if kind is not ForgeKind.GITHUB:
        return f"{place.url.path}/api/v1"
    return "" if place.is_github_com else f"{place.url.path}/api/v3"
