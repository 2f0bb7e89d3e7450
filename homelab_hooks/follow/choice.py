"""Chooses the links that follow a push from the settings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from homelab_hooks.config.link_spec import LinkKind, LinkSpec, parse_link

CI_LINK = LinkSpec(LinkKind.CI, "ci")
_ROLLOUT_KINDS = frozenset({LinkKind.DEPLOY, LinkKind.LIVE})


class FollowChoice(NamedTuple):
    """What the settings and options say about the chain."""

    follow: Sequence[LinkSpec] = ()
    """the configured list; empty: the default"""
    deploy: Sequence[str] = ()
    """the effective targets"""
    deploy_given: bool = False
    """whether the targets come from the command line"""
    watching: bool = True
    """False with --no-ci-watch: nothing is followed"""
    deploying: bool = True
    """False with --no-deploy: neither rollouts nor live answers are waited for"""


def choose_links(choice: FollowChoice) -> tuple[LinkSpec, ...]:
    """Return the links in order, each once.

    A configured list replaces the default, which is CI and then each configured target; targets from the command line
    are added to either.

    >>> [link.name for link in choose_links(FollowChoice(deploy=("web/shop",)))]
    ['ci', 'deploy:web/shop']
    >>> mirror = parse_link("mirror:github")
    >>> [link.name for link in choose_links(FollowChoice(follow=(mirror,), deploy=("web/shop",)))]
    ['mirror:github']
    """
    if not choice.watching:
        return ()
    targets = choice.deploy if choice.deploy_given or not choice.follow else ()
    links = (*(choice.follow or (CI_LINK,)), *(parse_link(f"deploy:{target}") for target in targets))
    each = {link.name if link.live is None else str(link): link for link in links}
    return tuple(link for link in each.values() if choice.deploying or link.kind not in _ROLLOUT_KINDS)


def longest_wait_s(links: Sequence[LinkSpec], *, timeout: float, rollout_timeout: float) -> float:
    """Return the seconds after which a chain has ended in any case: each link has its own timeout."""
    return sum(rollout_timeout if link.kind in _ROLLOUT_KINDS else timeout for link in links)
