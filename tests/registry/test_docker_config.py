"""Credentials are found in docker's and podman's configuration as docker and podman find them."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from homelab_hooks.registry.docker_config import (
    CredentialHelper,
    LoginProblem,
    RegistryLogin,
    find_credential_entry,
    parse_docker_config,
    parse_helper_output,
)
from homelab_hooks.registry.reference import parse_image_reference

SOURCE = "~/.docker/config.json"
PRIVATE, HUB = "registry.example.test:5000/acme/app:v1", "acme/app"
LOGIN = RegistryLogin("ann", SOURCE, "s3cr:et")


def auth(text: str = "ann:s3cr:et", **more: str) -> dict[str, str]:
    return {"auth": base64.b64encode(text.encode()).decode(), **more}


def find(config: dict[str, Any], image: str = PRIVATE) -> object:
    return find_credential_entry(config, parse_image_reference(image), SOURCE)


@pytest.mark.parametrize(
    ("key", "image"),
    [
        ("registry.example.test:5000", PRIVATE),
        ("https://registry.example.test:5000", PRIVATE),
        ("https://registry.example.test:5000/v1/", PRIVATE),
        ("http://registry.example.test:5000/v2/", PRIVATE),
        ("registry.example.test:5000/acme", PRIVATE),
        ("registry.example.test:5000/acme/app", PRIVATE),
        ("https://index.docker.io/v1/", HUB),
        ("index.docker.io", HUB),
        ("docker.io", HUB),
        ("docker.io/acme", HUB),
    ],
)
def test_each_form_of_a_registry_is_found(key: str, image: str) -> None:
    assert find({"auths": {key: auth()}}, image) == LOGIN


@pytest.mark.parametrize(
    "key",
    [
        "registry.example.test",
        "registry.example.test:50001",
        "evil.test/registry.example.test:5000",
        "registry.example.test:5000.evil.test",
        "https://registry.example.test:5000@evil.test",
        "registry.example.test:5000/other",
        "registry.example.test:5000/acme/application",
    ],
)
def test_no_other_registry_is(key: str) -> None:
    assert find({"auths": {key: auth()}}) is None


def test_a_part_of_the_repository_takes_precedence() -> None:
    auths = {"registry.example.test:5000": auth("a:1"), "registry.example.test:5000/acme": auth()}
    assert find({"auths": auths}) == LOGIN


def test_an_identity_token_replaces_the_password() -> None:
    entry = auth("00000000-0000-0000-0000-000000000000:", identitytoken="t0ken")
    found = find({"auths": {"registry.example.test:5000": entry}})
    assert isinstance(found, RegistryLogin)
    assert (found.identity_token, found.password, found.basic) == ("t0ken", "", "")


@pytest.mark.parametrize(
    "entry",
    [
        {"identitytoken": "a\ud800b"},
        {"username": "ann", "password": "a\ud800b"},
        {"username": "\ud800", "password": "p"},
    ],
)
def test_credentials_that_cannot_be_encoded_are_a_problem(entry: dict[str, str]) -> None:
    content = json.dumps({"auths": {"registry.example.test:5000": entry}}).encode()
    config = parse_docker_config(content, SOURCE)
    assert not isinstance(config, LoginProblem)
    assert find(dict(config)) == LoginProblem(f"the credentials from {SOURCE} are not valid Unicode")


def test_a_helper_takes_precedence_and_one_for_the_registry_most_of_all() -> None:
    auths = {"auths": {"registry.example.test:5000": auth()}}
    assert find({**auths, "credsStore": "desktop"}) == CredentialHelper("desktop", SOURCE)
    helpers = {"credHelpers": {"registry.example.test:5000": "pass"}}
    assert find({**auths, **helpers, "credsStore": "desktop"}) == CredentialHelper("pass", SOURCE)
    assert find({**auths, "credHelpers": {"other.example.test": "pass"}}) == LOGIN


@pytest.mark.parametrize("name", ["../evil", "/bin/sh", "a/b", "-x", "a b", "..", "a\\b", "x" * 65])
def test_a_helper_with_a_path_is_not_run(name: str) -> None:
    found = find({"credsStore": name})
    assert isinstance(found, LoginProblem)
    assert "is not a program's name" in found.reason


@pytest.mark.parametrize(
    "config",
    [
        {"auths": [1]},
        {"auths": {"registry.example.test:5000": "x"}},
        {"auths": {"registry.example.test:5000": {"auth": "not base64!"}}},
        {"auths": {"registry.example.test:5000": {"auth": "bm9jb2xvbg=="}}},
        {"auths": {"registry.example.test:5000": {"auth": []}}},
        {"credHelpers": "x"},
        {"credsStore": {}},
        {"auths": {"registry.example.test:5000": auth("ann:" + "x" * 20_000)}},
    ],
)
def test_a_configuration_that_is_malformed_says_so_without_its_content(config: dict[str, Any]) -> None:
    found = find(config)
    assert isinstance(found, LoginProblem)
    assert SOURCE in found.reason
    assert len(found.reason) < 120


@pytest.mark.parametrize("entry", [{}, {"auth": ""}, {"email": "ann@example.test"}])
def test_an_empty_entry_is_none(entry: dict[str, str]) -> None:
    assert find({"auths": {"registry.example.test:5000": entry}}) is None


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff", b"[" * 100_000, b'{"a": '])
def test_a_file_that_is_no_object_is_a_problem(content: bytes) -> None:
    assert parse_docker_config(content, SOURCE) == LoginProblem(f"{SOURCE} is not a JSON object")


def test_the_output_of_a_helper() -> None:
    helper = CredentialHelper("pass", SOURCE)
    source = "docker-credential-pass"
    assert parse_helper_output(b'{"Username": "ann", "Secret": "x"}', helper) == RegistryLogin("ann", source, "x")
    token = parse_helper_output(b'{"Username": "<token>", "Secret": "x"}', helper)
    assert token == RegistryLogin("", source, identity_token="x")
    assert parse_helper_output(b'{"Username": "", "Secret": ""}', helper) is None
    for output in (b"", b"[]", b"secret", b'{"Secret": []}'):
        found = parse_helper_output(output, helper)
        assert found == LoginProblem("docker-credential-pass printed something other than credentials")
