"""Finds a registry's credentials in docker's configuration, or the helper that has them.

Source: "Credential stores" and "Credential helpers" in docker's documentation of `docker login`; the `auths` of podman
also have keys with a part of the repository (containers-auth.json(5)).
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass, field

from homelab_hooks.registry.reference import DOCKER_HUB, ImageReference
from homelab_hooks.text.json_fields import Json, UnexpectedShape, read_object, read_text

_HELPER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
"""what may follow `docker-credential-`: no path"""
_HUB_HOSTS = ("index.docker.io", DOCKER_HUB)
_URL_KEY = re.compile(r"(?:https?://)?([^/]+)(?:/(?:v[12]/?)?)?")
"""the forms of a registry's key that older versions of docker wrote"""
TOKEN_USER = "<token>"  # noqa: S105 - the user name that marks an identity token
MAX_SECRET_CHARS = 16384
"""characters of a password or token; servers reject longer headers"""


@dataclass(frozen=True, slots=True)
class RegistryLogin:
    """Credentials of a registry, and where they come from. The secrets are never displayed."""

    user: str
    source: str
    password: str = field(default="", repr=False)
    identity_token: str = field(default="", repr=False)
    """exchanged for an access token; the password is empty then"""

    @property
    def basic(self) -> str:
        """Return the value of an Authorization header; empty for an identity token."""
        pair = f"{self.user}:{self.password}".encode()
        return f"Basic {base64.b64encode(pair).decode()}" if self.password else ""


@dataclass(frozen=True, slots=True)
class CredentialHelper:
    """The program `docker-credential-NAME` has the credentials."""

    name: str
    source: str


@dataclass(frozen=True, slots=True)
class LoginProblem:
    """Why the credentials could not be read; the registry is asked without them."""

    reason: str


CredentialEntry = RegistryLogin | CredentialHelper | LoginProblem


def parse_docker_config(content: bytes, source: str) -> Json | LoginProblem:
    """Return the object in a configuration file.

    Args:
        source: the file, for messages.
    """
    try:
        return read_object(json.loads(content))
    except (ValueError, RecursionError):  # UnexpectedShape too
        return LoginProblem(f"{source} is not a JSON object")


def find_credential_entry(config: Json, image: ImageReference, source: str) -> CredentialEntry | None:
    """Return what a configuration has for the registry of an image; None if it has nothing.

    A helper of this registry takes precedence over the store, and the store over what the file itself contains.
    """
    try:
        helpers = read_object(config.get("credHelpers") or {})
        keys = [image.credential_key, *(_HUB_HOSTS if image.host == DOCKER_HUB else ())]
        name = next((found for key in keys if (found := read_text(helpers, key))), "") or read_text(
            config, "credsStore"
        )
        if name:
            return _check_helper(name, source)
        return _find_auth(read_object(config.get("auths") or {}), image, source)
    except UnexpectedShape as error:
        return LoginProblem(f"{source} is malformed: {error}")


def _check_helper(name: str, source: str) -> CredentialHelper | LoginProblem:
    if not _HELPER_NAME.fullmatch(name):
        return LoginProblem(f"{source} names a credential helper that is not a program's name")
    return CredentialHelper(name, source)


def _find_auth(auths: Json, image: ImageReference, source: str) -> RegistryLogin | LoginProblem | None:
    hosts = _HUB_HOSTS if image.host == DOCKER_HUB else (image.host,)
    parts = image.repository.split("/")
    scoped = [f"{hosts[-1]}/{'/'.join(parts[:size])}" for size in range(len(parts), 0, -1)]
    exact = next((key for key in (*scoped, image.credential_key, *hosts) if key in auths), None)
    similar = (key for key in auths if (found := _URL_KEY.fullmatch(key)) and found[1].lower() in hosts)
    key = exact if exact is not None else next(similar, None)
    return None if key is None else _read_auth(read_object(auths[key]), source)


def _read_auth(entry: Json, source: str) -> RegistryLogin | LoginProblem | None:
    """Return the credentials of an entry; None for an empty one, which docker writes beside a credential store."""
    user, password = read_text(entry, "username"), read_text(entry, "password")
    if text := read_text(entry, "auth"):
        try:
            user, colon, password = base64.b64decode(text, validate=True).decode().partition(":")
        except (binascii.Error, ValueError):
            colon = ""
        if not colon:
            return LoginProblem(f"an entry of {source} is not the base64 of USER:PASSWORD")
    return make_login(user, password.rstrip("\0"), read_text(entry, "identitytoken"), source)


def make_login(user: str, password: str, identity_token: str, source: str) -> RegistryLogin | LoginProblem | None:
    """Return credentials; None without a secret."""
    secret = identity_token or password
    if len(secret) > MAX_SECRET_CHARS or len(user) > MAX_SECRET_CHARS:
        return LoginProblem(f"the credentials from {source} are longer than {MAX_SECRET_CHARS} characters")
    if not _is_unicode(user + secret):
        return LoginProblem(f"the credentials from {source} are not valid Unicode")
    if identity_token:
        return RegistryLogin(user, source, identity_token=identity_token)
    return RegistryLogin(user, source, password) if password else None


def _is_unicode(text: str) -> bool:
    r"""Return whether a text can be sent: JSON may contain half of a pair of surrogates, as in `"\ud800"`."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def parse_helper_output(output: bytes, helper: CredentialHelper) -> RegistryLogin | LoginProblem | None:
    """Return the credentials that a helper printed."""
    program = f"docker-credential-{helper.name}"
    try:
        answer = read_object(json.loads(output))
        user, secret = read_text(answer, "Username"), read_text(answer, "Secret")
    except (ValueError, RecursionError):
        return LoginProblem(f"{program} printed something other than credentials")
    is_token = user == TOKEN_USER
    return make_login("" if is_token else user, "" if is_token else secret, secret if is_token else "", program)
