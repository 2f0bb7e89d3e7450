"""Sends requests to one registry: authorized when it asks for that, with one redirect of a download without that."""

from __future__ import annotations

from http import HTTPStatus
from typing import NamedTuple

from homelab_hooks.config.address import ServerUrl
from homelab_hooks.net.download_redirect import (
    DownloadPlace,
    RedirectRefused,
    find_download_address,
    parse_download_redirect,
)
from homelab_hooks.net.message import REDIRECT_STATUSES, FailureCause, HttpRequest, HttpResponse, RequestFailed
from homelab_hooks.registry.answer import RegistrySilence
from homelab_hooks.registry.authorization import RegistryAuthorizer
from homelab_hooks.registry.exchange import RegistryHosts, RegistryQuestion
from homelab_hooks.registry.responses import explain_failure
from homelab_hooks.text.sanitize import strip_control_chars

_REFUSALS = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})


class RegistryRequest(NamedTuple):
    """A request about a repository; `subject` is what it asks for, for messages."""

    method: str
    path: str
    subject: str
    accept: str = "*/*"


class RegistryConnection:
    """A registry.

    Args:
        servers: its possible addresses, in the order in which they are tried; the first that responds is kept.
        hosts: reaches it.
        authorizer: obtains what it asks for.
    """

    def __init__(self, servers: tuple[ServerUrl, ...], hosts: RegistryHosts, authorizer: RegistryAuthorizer) -> None:
        self._servers, self._hosts, self._authorizer = servers, hosts, authorizer

    def send(self, request: RegistryRequest, question: RegistryQuestion) -> HttpResponse | RegistrySilence:
        """Send a request and return a response other than 401 and 403, or why there is none."""
        image = question.image
        answer = self._send_with(self._authorizer.find_known(image.repository), request, question)
        if isinstance(answer, HttpResponse) and _is_challenge(answer):
            challenges = answer.headers.get("www-authenticate", "")
            header = self._authorizer.authorize(challenges, self._servers[0], question)
            if isinstance(header, RegistrySilence):
                return header
            answer = self._send_with(header, request, question)
        if isinstance(answer, HttpResponse) and answer.status in _REFUSALS and not answer.is_html:
            return self._authorizer.refuse(image)
        return answer

    def download(self, request: RegistryRequest, question: RegistryQuestion) -> HttpResponse | RegistrySilence:
        """Send a request for content that has a digest, and follow one redirect, without credentials."""
        answer = self.send(request, question)
        if not isinstance(answer, HttpResponse) or answer.status not in REDIRECT_STATUSES:
            return answer
        place = parse_download_redirect(answer.headers.get("location", ""), self._servers[0], request.subject)
        if isinstance(place, RedirectRefused):
            return RegistrySilence(reason=f"{question.registry}: {place.reason}")
        return self._follow(place, request.subject, question)

    def _follow(self, place: DownloadPlace, subject: str, question: RegistryQuestion) -> HttpResponse | RegistrySilence:
        storage = f"the storage of {question.registry} at {place.server.host}"
        try:
            address = find_download_address(
                place,
                self._servers[0],
                subject,
                resolve=lambda server: self._hosts.find_addresses(server, question),
                is_proxied=self._hosts.is_proxied,
            )
        except OSError as error:
            return RegistrySilence(reason=f"{storage}: {strip_control_chars(str(error))}", passing=True)
        if isinstance(address, RedirectRefused):
            return RegistrySilence(reason=f"{question.registry}: {address.reason}")
        answer = self._hosts.send(place.server, HttpRequest("GET", place.target), question, address=address)
        return explain_failure(answer, storage) if isinstance(answer, RequestFailed) else answer

    def _send_with(
        self, authorization: str, request: RegistryRequest, question: RegistryQuestion
    ) -> HttpResponse | RegistrySilence:
        headers = {"Accept": request.accept, **({"Authorization": authorization} if authorization else {})}
        http_request = HttpRequest(request.method, request.path, headers=headers)
        answer = self._hosts.send(self._servers[0], http_request, question)
        if isinstance(answer, RequestFailed) and answer.cause is FailureCause.NO_TLS and len(self._servers) > 1:
            # Nothing was sent: the registry has no TLS, and may be asked without it.
            self._servers = self._servers[1:]
            return self._send_with(authorization, request, question)
        if isinstance(answer, RequestFailed):
            return explain_failure(answer, question.registry)
        if isinstance(answer, HttpResponse):
            self._servers = self._servers[:1]
        return answer


def _is_challenge(answer: HttpResponse) -> bool:
    """Return whether a response asks for credentials, and is not the web page of a proxy that asks for a login."""
    return answer.status == HTTPStatus.UNAUTHORIZED and ("www-authenticate" in answer.headers or not answer.is_html)
