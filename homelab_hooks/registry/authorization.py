"""Obtains what a registry's challenge asks for: a token of its token service, or the user's credentials themselves.

Credentials are sent to the registry, or to the token service that its own challenge names, and to no other origin.
"""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from math import inf
from typing import NamedTuple, Protocol

from homelab_hooks.config.address import ServerUrl
from homelab_hooks.net.message import RequestFailed
from homelab_hooks.registry.answer import RegistrySilence
from homelab_hooks.registry.challenge import AuthChallenge, parse_challenges
from homelab_hooks.registry.docker_config import LoginProblem, RegistryLogin
from homelab_hooks.registry.exchange import RegistryHosts, RegistryQuestion
from homelab_hooks.registry.reference import ImageReference
from homelab_hooks.registry.responses import explain_failure, explain_refusal, explain_status
from homelab_hooks.registry.token_service import RealmRefused, TokenRequest, build_token_request, parse_token_response

_TOKEN_REFUSALS = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})


class LoginSource(Protocol):
    """Has the user's credentials."""

    def find_login(self, image: ImageReference) -> RegistryLogin | LoginProblem | None:
        """Return the credentials for the registry of an image, or why there are none; None if none are configured."""


class _Authorization(NamedTuple):
    """The value of the Authorization header for one repository, and until when it may be used."""

    value: str
    expires_at: float


class RegistryAuthorizer:
    """Authorizes the requests to one registry. Nothing is looked up before the registry asks for it.

    Args:
        logins: the user's credentials.
        hosts: reaches the token service.
    """

    def __init__(self, logins: LoginSource, hosts: RegistryHosts) -> None:
        self._logins, self._hosts = logins, hosts
        self._known: dict[str, _Authorization] = {}
        self._found: dict[str, RegistryLogin | LoginProblem | None] = {}

    def find_known(self, repository: str) -> str:
        """Return the header that was accepted for a repository and is still valid; empty if there is none."""
        known = self._known.get(repository)
        return known.value if known and known.expires_at > self._hosts.now() else ""

    def refuse(self, image: ImageReference) -> RegistrySilence:
        """Return that the registry refused access although it had what it asks for."""
        self._known.pop(image.repository, None)
        return explain_refusal(image, self._found.get(image.repository))

    def authorize(self, challenges: str, server: ServerUrl, question: RegistryQuestion) -> str | RegistrySilence:
        """Return the header that a challenge of the registry asks for, or why there is none.

        Args:
            challenges: the registry's WWW-Authenticate.
            server: the registry.
        """
        image = question.image
        login = self._find_login(image)
        parsed = parse_challenges(challenges)
        if bearer := _find_challenge(parsed, "bearer"):
            asked = build_token_request(bearer, image.repository, login, server)
            if isinstance(asked, RealmRefused):
                return RegistrySilence(reason=f"{question.registry}: {asked.reason}")
            return self._request_token(asked, question)
        if login and login.basic and _find_challenge(parsed, "basic"):
            self._known[image.repository] = _Authorization(login.basic, inf)
            return login.basic
        return explain_refusal(image, self._found.get(image.repository))

    def _find_login(self, image: ImageReference) -> RegistryLogin | None:
        if image.repository not in self._found:
            self._found[image.repository] = self._logins.find_login(image)
        login = self._found[image.repository]
        if not isinstance(login, RegistryLogin):
            return None
        for secret in (login.password, login.identity_token, login.basic.removeprefix("Basic ")):
            self._hosts.redact(secret)
        return login

    def _request_token(self, asked: TokenRequest, question: RegistryQuestion) -> str | RegistrySilence:
        image = question.image
        service = f"the token service of {question.registry} at {asked.server.host}"
        answer = self._hosts.send(asked.server, asked.request, question)
        if isinstance(answer, RegistrySilence):
            return answer
        if isinstance(answer, RequestFailed):
            return explain_failure(answer, service)
        if answer.status in _TOKEN_REFUSALS:
            return explain_refusal(image, self._found.get(image.repository))
        if answer.status != HTTPStatus.OK:
            return explain_status(answer, service, f"a token for {image.repository}")
        token = parse_token_response(answer.body, self._hosts.now())
        if token is None:
            return RegistrySilence(reason=f"{service} returned no token")
        self._hosts.redact(token.value)
        value = f"Bearer {token.value}"
        self._known[image.repository] = _Authorization(value, token.expires_at)
        return value


def _find_challenge(challenges: Sequence[AuthChallenge], scheme: str) -> AuthChallenge | None:
    return next((challenge for challenge in challenges if challenge.scheme == scheme), None)
