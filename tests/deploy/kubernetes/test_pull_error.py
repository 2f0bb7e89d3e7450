"""A pull error is classified by what failed, not by the names in its message."""

from __future__ import annotations

import pytest

from homelab_hooks.deploy.kubernetes.pull_error import is_lasting_pull_error

LASTING = [
    'code = NotFound desc = failed to pull and unpack image "{image}": failed to resolve "{image}": {image}: not found',
    'Back-off pulling image "{image}": ErrImagePull: rpc error: code = NotFound desc = {image}: not found',
    "Error response from daemon: manifest for {image} not found: manifest unknown: manifest unknown",
    "pull access denied for {image}, repository does not exist or may require 'docker login'",
    "failed to fetch oauth token: unexpected status from GET request to https://{host}/token: 403 Forbidden",
    'Error response from daemon: Get "https://{host}/v2/": unauthorized: authentication required',
    "reading manifest in {image}: name unknown: repository name not known to registry",
    "rpc error: code = Unauthenticated desc = {image}",
    "no match for platform in manifest: not found",
]
PASSING = [
    'failed to do request: Head "https://{host}/v2/app/manifests/x": dial tcp 10.0.0.1:443: connection refused',
    "unexpected status from HEAD request to https://{host}/v2/app/manifests/x: 503 Service Unavailable",
    "rpc error: code = Unavailable desc = transport is closing",
    'Get "https://{host}/v2/": dial tcp: lookup {host} on 10.0.0.1:53: no such host',
    'Get "https://{host}/v2/": net/http: TLS handshake timeout',
    "toomanyrequests: You have reached your pull rate limit. https://{host}/denied",
    "429 Too Many Requests: {image}",
    "Pulling image {image}",
    "",
]
IMAGES = [
    ("registry.example.test/app:9f2c1a7b", "registry.example.test"),
    ("registry.example.test/app:403-9f2c1a7b", "registry.example.test"),
    ("denied.example.test/not-found/unauthorized:forbidden-403", "denied.example.test"),
    ("registry.example.test:5000/app@sha256:" + "403" * 21 + "0", "registry.example.test:5000"),
    ("registry-503.example.test/timeout/unavailable:429", "registry-503.example.test"),
]


@pytest.mark.parametrize(("image", "host"), IMAGES, ids=[image[:30] for image, _ in IMAGES])
@pytest.mark.parametrize("message", LASTING, ids=range(len(LASTING)))
def test_an_image_that_is_not_there_or_denied_lasts_whatever_its_name(message: str, image: str, host: str) -> None:
    assert is_lasting_pull_error(message.format(image=image, host=host))


@pytest.mark.parametrize(("image", "host"), IMAGES, ids=[image[:30] for image, _ in IMAGES])
@pytest.mark.parametrize("message", PASSING, ids=range(len(PASSING)))
def test_an_outage_passes_whatever_the_name_of_the_image(message: str, image: str, host: str) -> None:
    assert not is_lasting_pull_error(message.format(image=image, host=host))
