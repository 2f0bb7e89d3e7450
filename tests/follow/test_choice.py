"""Which links follow a push: the configured list, the default, and what the options add and drop."""

from __future__ import annotations

import pytest

from homelab_hooks.config.link_spec import parse_link
from homelab_hooks.follow.choice import FollowChoice, choose_links

LIST = tuple(map(parse_link, ("ci", "mirror:up", "live:https://shop.example.test/version", "deploy:web/shop")))


@pytest.mark.parametrize(
    ("choice", "names"),
    [
        (FollowChoice(), ["ci"]),
        (FollowChoice(deploy=("web/shop", "web/api")), ["ci", "deploy:web/shop", "deploy:web/api"]),
        (FollowChoice(follow=LIST, deploy=("web/api",)), [link.name for link in LIST]),
        (
            FollowChoice(follow=LIST, deploy=("web/api",), deploy_given=True),
            [*(link.name for link in LIST), "deploy:web/api"],
        ),
        (FollowChoice(follow=LIST, deploying=False), ["ci", "mirror:up"]),
        (FollowChoice(deploy=("web/shop",), deploy_given=True, deploying=False), ["ci"]),
        (FollowChoice(follow=LIST, deploy=("web/shop",), watching=False), []),
    ],
    ids=[
        "the default", "configured targets", "a list replaces both", "--deploy is added to a list",
        "--no-deploy drops rollouts and live answers", "--no-deploy with --deploy", "--no-ci-watch follows nothing",
    ],
)  # fmt: skip
def test_the_links_follow_from_the_settings_and_the_options(choice: FollowChoice, names: list[str]) -> None:
    assert [link.name for link in choose_links(choice)] == names


def test_a_link_that_is_named_twice_is_followed_once() -> None:
    choice = FollowChoice(follow=LIST, deploy=("web/shop",), deploy_given=True)
    assert [link.name for link in choose_links(choice)] == [link.name for link in LIST]
