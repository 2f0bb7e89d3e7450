"""The simulated registry answers as the recorded ones did, and the client understands those."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from homelab_hooks.registry.answer import ImageFacts, RegistrySilence
from homelab_hooks.registry.docker_config import RegistryLogin
from homelab_hooks.simulators.registry.api import PulledRequest, RegistryApi, RegistryLogins
from tests.registry.registry_world import HOST, SHA, RegistryWorld, fill_from_recording, recorded

REALM = "https://git.example.test/v2/token"
PASSWORDS = {"alice": "password-of-alice", "bob": "password-of-bob"}
AMD64 = "sha256:0d25c1f43333b1215227a839a6b5a74f873891d86b54b114782f3c8acf6d3456"
ARM64 = "sha256:d900da58eef92d5554b55458a69efe8fad231fe63aaf71a977683b24fc6cec15"
ATTESTATION = "sha256:3c79800fbc66d65a5a1789eb9d497c85a126ecaa30c863549f823a8a95bbfcb4"
LATER = "sha256:22ad68627a65e123ad10fff581b31f4f7f83199892d9b6bed1c528101bb07afd"
RECORDED = {
    "02-gitea-manifests": RegistryLogins.TOKEN,
    "03-gitea-private": RegistryLogins.TOKEN,
    "10-distribution-anonymous": RegistryLogins.NONE,
    "11-distribution-htpasswd": RegistryLogins.BASIC,
}


def basic(user: str) -> str:
    pair = f"{user}:{PASSWORDS.get(user, 'wrong')}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


AUTHORIZATIONS = {
    "": "",
    "Basic <ALICE_BASIC>": basic("alice"),
    "Basic <BOB_BASIC>": basic("bob"),
    "Basic <WRONG>": basic("mallory"),
    "Bearer <ALICE_TOKEN_REGISTRY>": "Bearer token-of-alice.x",
    "Bearer <BOB_TOKEN_REGISTRY>": "Bearer token-of-bob.x",
    "Bearer <ANONYMOUS_TOKEN_REGISTRY>": "Bearer token-of-.x",
    "Bearer nonsense": "Bearer nonsense",
}
"""the headers of the recordings, whose secrets were replaced, and those of the simulated users"""


def fill(world: RegistryWorld, name: str) -> None:
    fill_from_recording(world.store, recorded(name))
    world.store.passwords.update(PASSWORDS)
    if "hush/app" in world.store.repositories:
        world.store.repository("hush/app").readers = frozenset({"alice"})


def compared(exchange: dict[str, Any], api: RegistryApi) -> bool:
    """Whether an exchange is about what the simulated registry has: some tags were never pulled with their content."""
    request, parts = exchange["request"], exchange["request"]["path"].split("/")
    if request["method"] not in {"GET", "HEAD"} or not {"manifests", "blobs"} & set(parts):
        return False
    repository = api.store.repositories.get("/".join(parts[2:4]))
    known = {*repository.manifests, *repository.tags, *repository.blobs} if repository else set()
    is_missing = parts[-1] in {"nope", "latest"} or parts[-1].endswith("0" * 40)
    is_other_image = exchange.get("note") in {"latest has another digest now", "is the blob there?"}
    return (parts[-1] in known or is_missing) and parts[2] != "nobody" and not is_other_image


@pytest.mark.parametrize("name", RECORDED)
def test_the_simulated_registry_answers_as_the_recorded_one(name: str) -> None:
    world = RegistryWorld()
    fill(world, name)
    if name.startswith("11"):  # its content is that of the other distribution recording
        fill(world, "10-distribution-anonymous")
    if name.startswith("02"):  # `latest` was pushed again at its end
        world.store.repository("acme/app").tags["latest"] = AMD64
    api = RegistryApi(world.store, RECORDED[name], REALM)
    exchanges = [one for one in recorded(name)["exchanges"] if compared(one, api)]
    assert len(exchanges) > 5
    for one in exchanges:
        request, response = one["request"], one["response"]
        headers = {"accept": request["headers"].get("Accept", "")}
        headers["authorization"] = AUTHORIZATIONS[request["headers"].get("Authorization", "")]
        mine = api.answer(PulledRequest(request["method"], request["path"], headers))
        named = {key.lower(): value for key, value in mine.headers}
        assert mine.status == response["status"], one
        for header in ("www-authenticate", "docker-content-digest"):
            assert named.get(header) == response["headers"].get(header), one
        if request["method"] == "GET" and mine.status == 200:
            assert mine.body.decode() == response["body"]
        elif request["method"] == "GET":
            assert code_of(mine.body.decode()) == code_of(response["body"])


def code_of(body: Any) -> str:
    """The code of an error; else the text."""
    if isinstance(body, str) and not body.startswith("{"):
        return body
    errors = json.loads(body)["errors"] if isinstance(body, str) else body["errors"]
    return str(errors[0]["code"])


@pytest.mark.parametrize("name", ["02-gitea-manifests", "10-distribution-anonymous"])
@pytest.mark.parametrize(
    ("tag", "facts"),
    [
        ("latest", ImageFacts(revisions=(SHA,))),
        ("multi", ImageFacts(revisions=(SHA,))),
        (ARM64, ImageFacts(revisions=(SHA,))),
        ("annotated", ImageFacts(revisions=(SHA,))),
        ("nolabel", ImageFacts()),
        (ATTESTATION, ImageFacts()),
    ],
)
def test_the_client_understands_the_recorded_images(name: str, tag: str, facts: ImageFacts) -> None:
    world = RegistryWorld()
    fill(world, name)
    world.logins.login = RegistryLogin("alice", "a file", PASSWORDS["alice"])
    app = world.store.repository("acme/app")
    app.tags["latest"] = AMD64
    world.open_registry(RECORDED[name])
    assert world.describe(app.tags.get(tag, tag)) == facts


def test_the_tag_of_the_commit_is_found_without_the_label() -> None:
    world = RegistryWorld()
    fill(world, "10-distribution-anonymous")
    app = world.store.repository("acme/app")
    app.tags["8f2c1d3e"] = app.tags["nolabel"]
    world.open_registry()
    assert world.describe(app.tags["nolabel"]) == ImageFacts(is_commit_tag=True, commit_tag="8f2c1d3e")


def test_a_private_image_of_gitea_is_refused_to_who_may_not_pull_it() -> None:
    world = RegistryWorld()
    fill(world, "03-gitea-private")
    digest = world.store.repository("hush/app").tags["latest"]
    world.open_registry(RegistryLogins.TOKEN)
    image = f"{HOST}/hush/app:latest"
    for login in (None, RegistryLogin("bob", "a file", PASSWORDS["bob"]), RegistryLogin("bob", "a file", "wrong")):
        world.logins.login = login
        found = world.describe(digest, image=image)
        assert isinstance(found, RegistrySilence)
        assert "refused access to hush/app" in found.reason
    world.logins.login = RegistryLogin("alice", "a file", PASSWORDS["alice"])
    found = world.describe(digest, image=image)
    assert "refused" not in repr(found)
