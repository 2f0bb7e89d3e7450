"""What a registry says about an image that runs: its revisions, and whether the tag of the commit is this image."""

from __future__ import annotations

import json

import pytest

from homelab_hooks.net.message import HttpRequest, HttpResponse, RequestFailed
from homelab_hooks.polling.outcome import FailureKind
from homelab_hooks.registry.answer import ImageFacts, RegistrySilence, RunningImage
from homelab_hooks.registry.client import RECHECK_INTERVAL_S
from homelab_hooks.simulators.registry.store import SimulatedRepository
from homelab_hooks.text.commit_name import find_commit_tokens
from tests.registry.registry_world import HOST, IMAGE, OTHER_SHA, SHA, RegistryWorld, reply

UNKNOWN_DIGEST = "sha256:" + "0" * 64


@pytest.fixture
def world() -> RegistryWorld:
    """A registry that asks for no credentials."""
    world = RegistryWorld()
    world.open_registry()
    return world


@pytest.fixture
def app(world: RegistryWorld) -> SimulatedRepository:
    """The repository acme/app there."""
    return world.store.repository("acme/app")


@pytest.mark.parametrize("where", ["revision", "annotation"])
def test_a_label_or_annotation_is_a_revision_and_the_tag_is_not_asked_for(
    world: RegistryWorld, app: SimulatedRepository, where: str
) -> None:
    digest = app.push_image("latest", **{where: SHA})
    assert world.describe(digest) == ImageFacts(revisions=(SHA,))
    assert [line for line in world.lines if "HEAD" in line] == []
    assert len(world.lines) == 2


def test_a_character_that_is_removed_from_a_revision_joins_no_commit(
    world: RegistryWorld, app: SimulatedRepository
) -> None:
    found = world.describe(app.push_image("latest", revision=f"{SHA[:4]}\u200b{SHA[4:]}"))
    assert isinstance(found, ImageFacts)
    assert find_commit_tokens("".join(found.revisions)) == ()


def test_one_question_about_a_digest_is_one_request_for_each_document(
    world: RegistryWorld, app: SimulatedRepository
) -> None:
    digest = app.push_image("latest", SHA[:8], revision=OTHER_SHA)
    client = world.client()
    image = RunningImage(reference=IMAGE, digest=digest)
    first = client.describe_image(image, SHA)
    count = len(world.lines)
    assert (
        client.describe_image(image, SHA)
        == first
        == ImageFacts(revisions=(OTHER_SHA,), is_commit_tag=True, commit_tag=SHA[:8])
    )
    assert len(world.lines) == count == 5  # the manifest, its configuration, and three tags


@pytest.mark.parametrize("tag", [SHA, SHA[:12], SHA[:8], SHA[:7], SHA[:10]])
def test_a_tag_of_the_commit_in_each_usual_length_counts(
    world: RegistryWorld, app: SimulatedRepository, tag: str
) -> None:
    digest = app.push_image("latest", tag)
    assert world.describe(digest) == ImageFacts(is_commit_tag=True, commit_tag=tag)


@pytest.mark.parametrize("tag", [SHA[:6], OTHER_SHA, f"sha-{SHA[:7]}", "latest"])
def test_no_other_tag_counts(world: RegistryWorld, app: SimulatedRepository, tag: str) -> None:
    assert world.describe(app.push_image(tag)) == ImageFacts()


def test_the_tag_of_another_image_does_not_count(world: RegistryWorld, app: SimulatedRepository) -> None:
    running = app.push_image("latest", content="old")
    app.push_image(SHA, content="new")
    assert world.describe(running) == ImageFacts(commit_tag=SHA)


def test_another_length_of_the_tag_may_be_the_image(world: RegistryWorld, app: SimulatedRepository) -> None:
    app.push_image(SHA, content="built by the test stage")
    running = app.push_image("latest", SHA[:8], content="built by the release stage")
    assert world.describe(running) == ImageFacts(is_commit_tag=True, commit_tag=SHA[:8])


def test_a_platform_of_the_tagged_index_is_the_image(world: RegistryWorld, app: SimulatedRepository) -> None:
    one, two = app.push_image(content="1"), app.push_image(content="2", architecture="arm64")
    app.push_index(SHA[:7], platforms={"amd64": one, "arm64": two})
    assert world.describe(two) == ImageFacts(is_commit_tag=True, commit_tag=SHA[:7])


def test_an_attestation_of_the_tagged_index_is_not_the_image(world: RegistryWorld, app: SimulatedRepository) -> None:
    one, attestation = app.push_image(content="1"), app.push_image(content="2")
    app.push_index(SHA[:7], platforms={"amd64": one}, attestations=[attestation])
    assert world.describe(attestation) == ImageFacts(commit_tag=SHA[:7])


def test_an_index_with_another_platform_than_the_tagged_manifest_may_run_another_image(
    world: RegistryWorld, app: SimulatedRepository
) -> None:
    one, two = app.push_image(SHA[:8], content="1"), app.push_image(content="2", architecture="arm64")
    both = app.push_index("latest", platforms={"amd64": one, "arm64": two})
    assert world.describe(both) == ImageFacts(commit_tag=SHA[:8])
    alone = app.push_index("alone", platforms={"amd64": one}, attestations=[two])
    assert world.describe(alone) == ImageFacts(is_commit_tag=True, commit_tag=SHA[:8])


def test_the_revision_of_an_index_is_that_of_each_platform(world: RegistryWorld, app: SimulatedRepository) -> None:
    one, two = app.push_image(revision=SHA), app.push_image(revision=SHA, architecture="arm64")
    unsigned = app.push_image()
    index = app.push_index("latest", platforms={"amd64": one, "arm64": two}, attestations=[unsigned])
    assert world.describe(index) == ImageFacts(revisions=(SHA,))


def test_platforms_with_different_revisions_give_none_but_each_has_its_own(
    world: RegistryWorld, app: SimulatedRepository
) -> None:
    one, two = app.push_image(revision=SHA), app.push_image(revision=OTHER_SHA, architecture="arm64")
    index = app.push_index("latest", platforms={"amd64": one, "arm64": two}, revision=SHA)
    assert world.describe(index) == ImageFacts(note="the platforms of the image name different revisions")
    assert world.describe(one) == ImageFacts(revisions=(SHA,))
    assert world.describe(two) == ImageFacts(revisions=(OTHER_SHA,))


@pytest.mark.parametrize("kind", ["manifests", "blobs"])
def test_content_is_checked_against_its_digest(world: RegistryWorld, app: SimulatedRepository, kind: str) -> None:
    digest = app.push_image("latest", revision=OTHER_SHA)
    honest = world.servers[f"https://{HOST}"]

    def lie(request: HttpRequest) -> HttpResponse | RequestFailed:
        answer = honest(request)
        if f"/{kind}/" in request.path and isinstance(answer, HttpResponse):
            return answer._replace(body=answer.body.replace(OTHER_SHA.encode(), SHA.encode()) + b" ")
        return answer

    world.servers[f"https://{HOST}"] = lie
    found = world.describe(digest)
    assert isinstance(found, RegistrySilence)
    assert "is not the content that its digest names" in found.reason
    assert not found.passing


def test_a_tag_whose_digest_is_not_named_is_hashed(world: RegistryWorld, app: SimulatedRepository) -> None:
    world.open_registry(has_digest_header=False)
    assert world.describe(app.push_image("latest", SHA)) == ImageFacts(is_commit_tag=True, commit_tag=SHA)
    assert f"GET https://{HOST}/v2/acme/app/manifests/{SHA}" in world.lines


def test_an_image_that_the_registry_does_not_know_is_final(world: RegistryWorld) -> None:
    found = world.describe(UNKNOWN_DIGEST)
    assert found == RegistrySilence(
        reason=f"the registry {HOST} does not know the image sha256:000000000000 of acme/app (MANIFEST_UNKNOWN)"
    )


@pytest.mark.parametrize(
    ("answer", "passing", "reason"),
    [
        (reply(503), True, "returned 503"),
        (reply(500, b"<html></html>", content_type="text/html"), True, "returned 500 with a web page"),
        (RequestFailed(FailureKind.TIMEOUT, "no complete response within 10 s"), True, "no complete response"),
        (reply(200, b"<html>login</html>", content_type="text/html"), False, "with a web page"),
        (reply(404, b"<html></html>", content_type="text/html"), False, "returned 404 with a web page"),
        (reply(401, b"<title>Authelia</title>", content_type="text/html"), False, '401 with a web page ("Authelia")'),
        (reply(401, b"denied"), False, "refused access to acme/app without credentials"),
        (reply(403, b'{"errors":[{"code":"DENIED"}]}'), False, "refused access to acme/app without credentials"),
        (reply(404, b"Not found.\n", content_type="text/plain"), False, "does not know the image"),
        (reply(418), False, "returned 418 for the image"),
        (reply(307, location="http://10.0.0.8/x"), False, "does not use https"),
    ],
)
def test_a_response_that_is_no_answer_says_whether_another_try_may_succeed(
    world: RegistryWorld, answer: HttpResponse | RequestFailed, reason: str, *, passing: bool
) -> None:
    world.servers[f"https://{HOST}"] = lambda _: answer
    found = world.describe(UNKNOWN_DIGEST)
    assert isinstance(found, RegistrySilence)
    assert (found.passing, HOST in found.reason) == (passing, True)
    assert reason in found.reason


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[1]",
        b"{}",
        b"[" * 100_000,
        b"\xff\xfe",
        b'{"manifests": 1}',
        b'{"config": {}, "manifests": []}',
        b'{"config": {"digest": "sha512:1"}}',
        b'{"config": {"digest": 7}}',
        b'{"manifests": [{"digest": "x"}]}',
        b'{"schemaVersion": 1, "fsLayers": []}',
    ],
)
def test_no_body_raises(world: RegistryWorld, app: SimulatedRepository, body: bytes) -> None:
    digest = app.put_manifest(body, "application/json")
    found = world.describe(digest)
    assert isinstance(found, RegistrySilence)
    assert not found.passing


@pytest.mark.parametrize("labels", [[], "x", {"org.opencontainers.image.revision": {}}])
def test_no_configuration_raises(world: RegistryWorld, app: SimulatedRepository, labels: object) -> None:
    config = app.put_blob(json.dumps({"config": {"Labels": labels}}).encode())
    digest = app.put_manifest(json.dumps({"config": {"digest": config}}).encode(), "application/json")
    assert isinstance(world.describe(digest), RegistrySilence)


def test_text_from_outside_is_one_line(world: RegistryWorld, app: SimulatedRepository) -> None:
    found = world.describe(app.push_image(revision="a\x1b[31m\n" + "b" * 125))
    assert isinstance(found, ImageFacts)
    assert found.revisions == ("a\ufffd " + "b" * 125,)


def test_a_rate_limit_is_waited_for_without_a_request(world: RegistryWorld, app: SimulatedRepository) -> None:
    digest = app.push_image("latest", revision=SHA)
    honest = world.servers[f"https://{HOST}"]
    world.servers[f"https://{HOST}"] = lambda _: reply(429, retry_after="30")
    client, image = world.client(), RunningImage(reference=IMAGE, digest=digest)
    first = client.describe_image(image, SHA)
    assert isinstance(first, RegistrySilence)
    assert (first.passing, first.retry_after_s) == (True, 30.0)
    assert "limits the rate of requests" in first.reason
    world.servers[f"https://{HOST}"] = honest
    world.clock.time = 29.0
    assert isinstance(client.describe_image(image, SHA), RegistrySilence)
    assert len(world.lines) == 1
    world.clock.time = 30.0
    assert client.describe_image(image, SHA) == ImageFacts(revisions=(SHA,))


def test_what_was_read_before_a_failure_is_not_read_again(world: RegistryWorld, app: SimulatedRepository) -> None:
    digest = app.push_image(SHA[:7])
    honest = world.servers[f"https://{HOST}"]
    world.servers[f"https://{HOST}"] = lambda request: reply(502) if request.method == "HEAD" else honest(request)
    client, image = world.client(), RunningImage(reference=IMAGE, digest=digest)
    assert isinstance(client.describe_image(image, SHA), RegistrySilence)
    world.servers[f"https://{HOST}"] = honest
    world.clock.time = 6.0
    assert client.describe_image(image, SHA) == ImageFacts(is_commit_tag=True, commit_tag=SHA[:7])
    assert [line.partition(" ")[0] for line in world.lines] == ["GET", "GET", *["HEAD"] * 5]


def test_a_tag_that_is_pushed_after_the_image_runs_is_found_within_a_minute(
    world: RegistryWorld, app: SimulatedRepository
) -> None:
    digest = app.push_image("latest")
    client, image = world.client(), RunningImage(reference=IMAGE, digest=digest)
    assert client.describe_image(image, SHA) == ImageFacts()
    app.tags[SHA] = digest
    world.clock.time = RECHECK_INTERVAL_S - 1
    assert client.describe_image(image, SHA) == ImageFacts()
    world.clock.time = RECHECK_INTERVAL_S
    assert client.describe_image(image, SHA) == ImageFacts(is_commit_tag=True, commit_tag=SHA)
    world.clock.time = 900.0
    assert client.describe_image(image, SHA) == ImageFacts(is_commit_tag=True, commit_tag=SHA)
    assert [line.partition(" ")[0] for line in world.lines] == ["GET", "GET", *["HEAD"] * 8]


def test_a_question_ends_although_a_registry_is_slow(world: RegistryWorld, app: SimulatedRepository) -> None:
    digest = app.push_image("latest")
    honest = world.servers[f"https://{HOST}"]

    def answer_slowly(request: HttpRequest) -> HttpResponse | RequestFailed:
        world.clock.time += 9.0
        return honest(request)

    world.servers[f"https://{HOST}"] = answer_slowly
    found = world.describe(digest)
    assert isinstance(found, RegistrySilence)
    assert found.passing
    assert len(world.lines) == 4


@pytest.mark.parametrize("image", ["", "UPPER", "a b", "registry.example.test/", "x@sha256:1", "[::1/app", "a" * 2000])
def test_a_reference_that_is_none_is_a_silence(world: RegistryWorld, image: str) -> None:
    found = world.describe(UNKNOWN_DIGEST, image=image)
    assert isinstance(found, RegistrySilence)
    assert "is not a valid image reference" in found.reason
    assert world.lines == []


def test_a_pod_without_a_digest_is_a_silence(world: RegistryWorld) -> None:
    assert isinstance(world.describe("docker://sha256:1"), RegistrySilence)
    assert world.lines == []


@pytest.mark.parametrize("where", ["revision", "annotation"])
def test_a_revision_that_is_too_long_is_not_cut(world: RegistryWorld, app: SimulatedRepository, where: str) -> None:
    """What is left would lack the mark of a dirty build."""
    digest = app.push_image("latest", **{where: f"{SHA}-{'x' * 90}-dirty"})
    found = world.describe(digest)
    assert isinstance(found, RegistrySilence)
    assert "org.opencontainers.image.revision is longer than 128 characters" in found.reason
    assert not found.passing
