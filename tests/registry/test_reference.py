"""Image references and challenges are parsed as docker parses them."""

from __future__ import annotations

import pytest

from homelab_hooks.registry.challenge import parse_challenges
from homelab_hooks.registry.reference import ImageReference, parse_image_reference

DIGEST = "sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("app", ImageReference("docker.io", "library/app")),
        ("app:v1", ImageReference("docker.io", "library/app", "v1")),
        ("acme/app", ImageReference("docker.io", "acme/app")),
        ("docker.io/app", ImageReference("docker.io", "library/app")),
        ("index.docker.io/acme/app", ImageReference("docker.io", "acme/app")),
        ("localhost/app", ImageReference("localhost", "app")),
        ("localhost:5000/a/b/c:x", ImageReference("localhost:5000", "a/b/c", "x")),
        ("ghcr.io/acme/app@" + DIGEST, ImageReference("ghcr.io", "acme/app", "", DIGEST)),
        ("ghcr.io/acme/app:v1@" + DIGEST, ImageReference("ghcr.io", "acme/app", "v1", DIGEST)),
        ("[::1]:5000/app", ImageReference("[::1]:5000", "app")),
        ("10.0.0.8/app", ImageReference("10.0.0.8", "app")),
        ("Registry.example.test/app", ImageReference("registry.example.test", "app")),
    ],
)
def test_a_reference(text: str, parsed: ImageReference) -> None:
    assert parse_image_reference(text) == parsed


@pytest.mark.parametrize(
    "text",
    [
        "",
        "App",
        "acme//app",
        "../app",
        "acme/../app",
        "app:",
        "app:a/b:",
        "app@sha256:0",
        "ghcr.io/acme/app?x=1",
        "ghcr.io/a%2fb",
        "user@ghcr.io/app",
        "ghcr.io:port/app",
        "ghcr.io:5000:1/app",
        "gh_cr!.io/app",
        '[::1]"/app',
        "b\u00fccher.example.test/app",
        "app\0",
        "ghcr.io/" + "a/" * 200 + "b",
    ],
)
def test_no_reference(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse_image_reference(text)


@pytest.mark.parametrize(
    ("header", "schemes"),
    [
        ("", []),
        ("Basic", ["basic"]),
        ('BASIC realm="x"', ["basic"]),
        ('Bearer realm="https://a.test/token,v=1",service="s" , Basic realm="x, Bearer y"', ["bearer", "basic"]),
        ('Bearer realm="a" || Basic realm="b"', ["bearer", "basic"]),
        ("Negotiate abc==, Bearer realm=x", ["negotiate", "abc", "bearer"]),
        ('Bearer realm="never closed', ["bearer", "realm", "never", "closed"]),
        (', ,="" =', []),
    ],
)
def test_challenges(header: str, schemes: list[str]) -> None:
    assert [challenge.scheme for challenge in parse_challenges(header)] == schemes


def test_the_first_value_of_a_parameter_counts() -> None:
    (challenge,) = parse_challenges(r'Bearer realm="https://a.test/\"t",realm="https://evil.test", SCOPE = "x y"')
    assert challenge.parameters == {"realm": 'https://a.test/"t', "scope": "x y"}


def test_a_long_header_is_read_in_linear_time() -> None:
    assert len(parse_challenges('a="' * 100_000)) <= 8192
