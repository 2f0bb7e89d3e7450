"""What a forge answers: its kind, its webhooks, what it can send again, and its refusals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from homelab_hooks.ci.actions.client import ActionsClient
from homelab_hooks.ci.actions.log_download import LogHosts
from homelab_hooks.ci.model import Repo, Status, Step
from homelab_hooks.ci.provider import RunFilter
from homelab_hooks.ci.status.client import StatusClient
from homelab_hooks.config.address import ServerUrl
from homelab_hooks.config.pull_requests import MergeStyle
from homelab_hooks.config.remote_forge import ForgeKind
from homelab_hooks.forge.connection import Authorization, ForgeConnection
from homelab_hooks.forge.detect import detect_forge_kind
from homelab_hooks.forge.forges import connect_pull_requests
from homelab_hooks.forge.gitea.redelivery import MAX_PAGES, GiteaRedelivery
from homelab_hooks.forge.github.redelivery import GitHubRedelivery
from homelab_hooks.forge.provider import PushedCommit, Webhook
from homelab_hooks.forge.pull_requests import MergeRequest, NewPullRequest
from homelab_hooks.forge.reports import CommitReportReader
from homelab_hooks.net.message import HttpRequest, HttpResponse
from homelab_hooks.polling.outcome import Denied, Found, NotFound, Poll, Unavailable
from tools.fuzz import texts
from tools.fuzz.fed import LOOKS, SHA, FuzzTarget

_HOOK = Webhook(23, "ci.example.test", 443, "/api/hook")
_DATE = "Mon, 30 Nov 2026 12:00:00 GMT"
MAX_REQUESTS = 40
MAX_REASON_CHARS = 600


@dataclass
class OneAnswer:
    """A forge that answers everything with the same response."""

    response: HttpResponse
    requests: int = 0

    def send(self, request: HttpRequest, *, timeout: float, max_bytes: int) -> HttpResponse:
        """It, again."""
        assert 0 < timeout <= 15 < max_bytes
        assert request.path.startswith("/api/") or request.path.startswith("/repos/")
        self.requests += 1
        return self.response


def forge(data: bytes) -> None:
    """Whatever a forge answers, it is a Poll whose words are harmless, after a bounded number of requests.

    First a status, then the text of the headers about rate limits and scopes, U+001F, and the body.
    """
    status, _, rest = data.partition(b" ")
    text, _, body = rest.partition(b"\x1f")
    code = int(status) if status.isdigit() and len(status) == 3 and status >= b"200" else 200
    word = text.decode("latin-1")
    names = ("retry-after", "x-ratelimit-reset", "x-oauth-scopes", "x-accepted-oauth-scopes", "content-type")
    headers = {"date": _DATE, "x-ratelimit-remaining": "0", **dict.fromkeys(names, word)}
    transport = OneAnswer(HttpResponse(code, headers, body or text, 0.1))
    connection = ForgeConnection(transport, "/api/v1", "the forge", Authorization.from_token("t0ken", "GITEA_TOKEN"))
    gitea, github = GiteaRedelivery(connection), GitHubRedelivery(connection)
    push = PushedCommit(SHA)
    kind = detect_forge_kind(transport, "", within=5.0)
    assert not isinstance(kind, Found) or isinstance(kind.value, ForgeKind)
    polls = (
        kind,
        gitea.webhooks("acme/app", within=5.0),
        gitea.find_delivery("acme/app", _HOOK, push, within=5.0),
        github.webhooks("acme/app", within=5.0),
        github.find_delivery("acme/app", _HOOK, push, within=5.0),
    )
    assert transport.requests <= MAX_REQUESTS + MAX_PAGES
    actions, statuses = (make(connection) for make in (_connect_actions, _connect_statuses))
    pulls = _read_pull_requests(connection)
    for poll in (*polls, *pulls, *_read_reports(actions), *_read_reports(statuses)):
        assert isinstance(poll, LOOKS)
        if isinstance(poll, Unavailable | Denied | NotFound):
            assert not texts.harmful(poll.reason), poll
            assert len(poll.reason) <= MAX_REASON_CHARS, poll
        if isinstance(poll, Unavailable):
            assert poll.retry_after is None or poll.retry_after >= 0


def _read_pull_requests(connection: ForgeConnection) -> list[Poll[Any]]:
    """What a landing through a pull request asks; the outcome of the merge is checked here."""
    polls: list[Poll[Any]] = []
    new, request = NewPullRequest("topic", "main", "x"), MergeRequest(7, SHA, MergeStyle.MERGE)
    for kind in ForgeKind:
        pulls = connect_pull_requests(kind, connection)
        polls += [
            pulls.target.read_repository("acme/app", within=5.0),
            pulls.target.read_protection("acme/app", "main", within=5.0),
            pulls.pulls.find_open("acme/app", "topic", "main", within=5.0),
            pulls.pulls.open("acme/app", new, within=5.0),
            pulls.pulls.read("acme/app", 7, within=5.0),
            pulls.gate.read_reports("acme/app", SHA, within=5.0),
        ]
        outcome = pulls.gate.merge("acme/app", request, within=5.0)
        assert not texts.harmful(outcome.reason), outcome
        assert outcome.retry_after is None or outcome.retry_after >= 0
    return polls


def _connect_actions(connection: ForgeConnection) -> ActionsClient:
    def refuse(*_: object) -> Any:
        raise OSError("no host is reached")

    return ActionsClient(connection, LogHosts(ServerUrl("https", "git.example.test", 443), refuse, refuse), SHA)


def _connect_statuses(connection: ForgeConnection) -> StatusClient:
    return StatusClient(connection, CommitReportReader(connection, has_checks=True), SHA, "*")


def _read_reports(client: ActionsClient | StatusClient) -> list[Poll[Any]]:
    """The list, and the detail and the log of its first row."""
    repo = Repo("acme/app", "acme/app")
    listed = client.pipelines(repo, within=5.0, only=RunFilter(commit=SHA))
    if not isinstance(listed, Found) or not listed.value:
        return [listed]
    run = listed.value[0].run
    step = Step((7, 0), 1, "test", Status.FAILURE)
    return [listed, client.pipeline(repo, run, within=5.0), client.log(repo, run, step, within=5.0)]


_HOOKS = b'[{"id": 7, "active": true, "events": ["push"], "config": {"url": "https://ci.example.test/api/hook?t=s"}}]'
TARGETS = {
    "forge": FuzzTarget(forge, (
        b'200 \x1f{"version": "16.0.0+gitea-1.22.0"}', b"200 \x1f" + _HOOKS,
        b'200 \x1f{"default_branch": "main", "commit": {"id": "%s"}}' % SHA.encode(),
        b'200 \x1f[{"id": 1, "guid": "g", "event": "push"}, {"id": 2, "guid": "h", "event": "push"}]',
        b'403 repo, gist\x1f{"message": "token does not have at least one of required scope(s), required=[x]"}',
        b'200 \x1f{"workflow_runs": [{"id": 7, "path": "b.yml@refs/heads/main", "event": "push", "status": "queued", '
        b'"head_sha": "%s"}], "jobs": [], "check_runs": [], "statuses": null}' % SHA.encode(),
        b'200 \x1f[{"id": 7, "context": "ci/build", "status": "success", "target_url": "https://ci.example.test/"}]',
        b'200 \x1f{"number": 7, "state": "open", "head": {"ref": "topic", "sha": "%s", "repo": '
        b'{"full_name": "acme/app"}}, "base": {"ref": "main"}, "mergeable": null}' % SHA.encode(),
        b'405 \x1f{"message": "Please try again later"}', b'409 \x1f{"message": "head out of date"}',
        b"429 120\x1f", b"403 1796040090\x1f{}", b'401 \x1f{"message": "no\\u001b[2J"}', b"301 text/html\x1f<html>",
    )),
}  # fmt: skip
