"""Which variable's token may be sent to which forge: every combination."""

from __future__ import annotations

import itertools

import pytest

from homelab_hooks.auth.forge_token import GITHUB_API_ORIGIN, TokenDestination, choose_variable
from homelab_hooks.auth.token_variables import FORGE_TOKEN_VARIABLES
from homelab_hooks.config.remote_forge import ForgeKind
from homelab_hooks.forge.place import GITHUB_API

ALL = {name: f"{name}-value" for name in FORGE_TOKEN_VARIABLES}
OWN = "https://git.example.test"
ANY, FORGEJO, GITEA, GH, GITHUB = FORGE_TOKEN_VARIABLES
BY_KIND = {ForgeKind.FORGEJO: {ANY, FORGEJO}, ForgeKind.GITEA: {ANY, GITEA}, ForgeKind.GITHUB: {ANY, GH, GITHUB}}


def allowed(kind: ForgeKind, origin: str, *, is_named: bool, is_landing: bool) -> set[str]:
    """The table of the contract, written once more: for each variable alone, whether it is sent."""
    destination = TokenDestination(kind, origin, is_named, is_landing)
    return {name for name, value in ALL.items() if choose_variable(destination, {name: value}).name}


@pytest.mark.parametrize(
    ("kind", "origin", "is_named", "is_landing"),
    list(itertools.product(ForgeKind, (OWN, GITHUB_API_ORIGIN), (True, False), (True, False))),
)
def test_a_variable_is_sent_only_where_its_name_or_the_user_says(
    kind: ForgeKind,
    origin: str,
    is_named: bool,  # noqa: FBT001 - every combination
    is_landing: bool,  # noqa: FBT001 - every combination
) -> None:
    expected = set()
    if is_named:
        expected |= BY_KIND[kind]
    if is_landing:
        expected |= BY_KIND[kind] - {GH, GITHUB}
    if origin == GITHUB_API_ORIGIN:
        expected |= BY_KIND[kind] & {GH, GITHUB}
    assert allowed(kind, origin, is_named=is_named, is_landing=is_landing) == expected


def test_a_forge_that_was_only_detected_receives_no_variable() -> None:
    for kind in ForgeKind:
        found = choose_variable(TokenDestination(kind, OWN), ALL)
        assert (found.name, set(found.withheld)) == ("", BY_KIND[kind])


def test_the_variable_for_any_forge_takes_precedence_then_gh_token() -> None:
    named = TokenDestination(ForgeKind.GITHUB, OWN, is_named=True)
    assert choose_variable(named, ALL).name == ANY
    assert choose_variable(named, {GH: "a", GITHUB: "b"}).name == GH
    assert choose_variable(named, {ANY: " ", GITHUB: "b"}).name == GITHUB


def test_no_variable_is_sent_to_two_origins() -> None:
    named = TokenDestination(ForgeKind.GITHUB, OWN, is_named=True)
    sent = {GH: GITHUB_API_ORIGIN}
    assert choose_variable(named, {GH: "a"}, origins_by_variable=sent) == ("", (GH,))
    again = TokenDestination(ForgeKind.GITHUB, GITHUB_API_ORIGIN)
    assert choose_variable(again, {GH: "a"}, origins_by_variable=sent).name == GH


def test_the_origin_of_githubs_api_is_written_once() -> None:
    assert GITHUB_API.origin == GITHUB_API_ORIGIN
