"""The names of links: what each means, and what is refused."""

from __future__ import annotations

import pytest

from homelab_hooks.config.address import ServerUrl
from homelab_hooks.config.link_spec import LinkKind, LinkSpec, LiveTarget, parse_link

SHOP = ServerUrl("https", "shop.example.test", 443)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ci", LinkSpec(LinkKind.CI, "ci")),
        ("ci:manual", LinkSpec(LinkKind.CI, "ci:manual", event="manual")),
        ("ci:push@acme/app", LinkSpec(LinkKind.CI, "ci:push@acme/app", event="push", repo="acme/app")),
        ("mirror:team/up", LinkSpec(LinkKind.MIRROR, "mirror:team/up", remote="team/up")),
        ("actions", LinkSpec(LinkKind.ACTIONS, "actions")),
        ("actions:github", LinkSpec(LinkKind.ACTIONS, "actions:github", remote="github")),
        ("status:gh:ci/x: y", LinkSpec(LinkKind.STATUS, "status:gh:ci/x: y", remote="gh", context="ci/x: y")),
        ("deploy:web/sts/db", LinkSpec(LinkKind.DEPLOY, "deploy:web/sts/db", workload="web/sts/db")),
        ("run:make smoke; true", LinkSpec(LinkKind.RUN, "run:make smoke; true", command="make smoke; true")),
        ("live:https://shop.example.test", LinkSpec(LinkKind.LIVE, f"live:{SHOP}/", live=LiveTarget(SHOP, "/"))),
        (
            "live:https://SHOP.example.test:443/a/b#x.0.y",
            LinkSpec(LinkKind.LIVE, f"live:{SHOP}/a/b#x.0.y", live=LiveTarget(SHOP, "/a/b", ("x", "0", "y"))),
        ),
    ],
)
def test_a_link_means_what_it_says(text: str, expected: LinkSpec) -> None:
    assert parse_link(f" {text} ") == expected._replace(text=text)


def test_the_query_is_sent_and_never_shown() -> None:
    link = parse_link("live:https://shop.example.test/version?key=s3cret&x#commit")
    assert link.live is not None
    assert link.live.target == "/version?key=s3cret&x"
    assert "s3cret" not in link.name


@pytest.mark.parametrize(
    "text",
    [
        "", "github", "CI", "ci:", "ci:Push", "ci:push@", "ci:@acme/app", "ci:push@app", "mirror", "mirror:",
        "mirror:-x",
        "actions:", "status", "status:gh", "status:gh:", "status:gh:a\x1b", "deploy:", "deploy:shop", "run:", "run: ",
        "run:a\0b", "live:", "live:shop.example.test", "live:ftp://shop.example.test", "live:https://",
        "live:https://u:p@shop.example.test", "live:https://shop.example.test/a b", "live:https://shop.example.test/ä",
        "live:https://shop.example.test#a..b", "live:https://shop.example.test:99999", "live:http://a\x07b",
    ],
)  # fmt: skip
def test_what_is_no_link_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        parse_link(text)
