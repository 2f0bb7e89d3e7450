"""Downloads the log of a job: from the forge, or from where the forge redirects to, without the token."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol

from homelab_hooks.config.address import ServerUrl
from homelab_hooks.net.download_redirect import (
    DownloadPlace,
    RedirectRefused,
    find_download_address,
    parse_download_redirect,
)
from homelab_hooks.net.message import REDIRECT_STATUSES, HttpRequest, HttpResponse, RequestFailed
from homelab_hooks.polling.outcome import Denied, FailureKind, Found, NotFound, Poll, Unavailable
from homelab_hooks.text.sanitize import strip_control_chars

MAX_LOG_BYTES = 8 * 1024 * 1024
_SUBJECT = "the log"
"""what is downloaded, in messages"""


class LogTransport(Protocol):
    """Sends requests to one server, and follows no redirect."""

    def send(self, request: HttpRequest, *, timeout: float, max_bytes: int) -> HttpResponse | RequestFailed:
        """Send a request and return the response, or why there is none within `timeout` seconds."""


@dataclass(frozen=True)
class LogHosts:
    """Reaches the hosts of logs.

    Attributes:
        forge: the server of the API.
        resolve: returns the addresses of a server, within these seconds; raises OSError.
        connect: returns a transport to a server at one of its addresses, or through the proxy if that is empty, without
            a token.
        is_proxied: returns whether requests to a server go through a proxy.
    """

    forge: ServerUrl
    resolve: Callable[[ServerUrl, float], tuple[str, ...]]
    connect: Callable[[ServerUrl, str], LogTransport]
    is_proxied: Callable[[ServerUrl], bool] = lambda _: False


def read_log_response(answer: HttpResponse | RequestFailed, hosts: LogHosts, *, within: float) -> Poll[str]:
    """Return the text of a log from the forge's response; one redirect is followed."""
    if isinstance(answer, HttpResponse) and answer.status in REDIRECT_STATUSES:
        place = parse_download_redirect(answer.headers.get("location", ""), hosts.forge, _SUBJECT)
        return _refuse(place) if isinstance(place, RedirectRefused) else _follow(place, hosts, within)
    return _read_text(answer)


def _follow(place: DownloadPlace, hosts: LogHosts, within: float) -> Poll[str]:
    try:
        address = find_download_address(
            place,
            hosts.forge,
            _SUBJECT,
            resolve=lambda server: hosts.resolve(server, within),
            is_proxied=hosts.is_proxied,
        )
    except OSError as error:
        return Unavailable(f"the host of the log cannot be found: {strip_control_chars(str(error))}")
    if isinstance(address, RedirectRefused):
        return _refuse(address)
    transport = hosts.connect(place.server, address)
    return _read_text(transport.send(HttpRequest("GET", place.target), timeout=within, max_bytes=MAX_LOG_BYTES))


def _refuse(refused: RedirectRefused) -> Denied:
    return Denied(refused.reason, hint="read the log on the run's web page")


def _read_text(answer: HttpResponse | RequestFailed) -> Poll[str]:
    if isinstance(answer, RequestFailed):
        return Unavailable(strip_control_chars(answer.reason), answer.kind)
    if answer.status == HTTPStatus.OK:
        return Found(answer.body.decode("utf-8", "replace"))
    if answer.status == HTTPStatus.NOT_FOUND:  # until the job runs (forge recording 07)
        return NotFound("there is no log yet")
    if answer.status in REDIRECT_STATUSES:
        return Denied("the log is redirected more than once")
    if answer.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return Denied("the forge refuses the log")
    return Unavailable(f"the server of the log returned {answer.status}", FailureKind.STATUS)
