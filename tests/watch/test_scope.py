"""Which pipelines are about a commit: by their own commit, or by a variable that names it."""

from __future__ import annotations

import pytest

from homelab_hooks.ci.model import Pipeline, RunRef, Status
from homelab_hooks.watch.state import WatchScope

SHA, OTHER = "9f2c1d0a" * 5, "b" * 40
SCOPE = WatchScope(SHA, frozenset({"manual"}), names=frozenset({SHA, "v1.4.2", "9f2c1d0-rc"}))


def started(*variables: str, commit: str = OTHER) -> Pipeline:
    return Pipeline(
        run=RunRef(1, "#1"), number=1, group="manual", event="manual", ref="", branch="main", commit=commit,
        status=Status.SUCCESS, variables=variables,
    )  # fmt: skip


@pytest.mark.parametrize(
    "value", [SHA, SHA[:7], f"sha-{SHA[:8]}", f"v1.4-3-g{SHA[:8]}", f"registry.example.test/app:{SHA[:12]}", "v1.4.2"]
)
def test_a_variable_names_the_commit(value: str) -> None:
    assert SCOPE.is_about(started("x", value))
    assert not SCOPE._replace(names=frozenset()).is_about(started(value)), "only where variables count"


@pytest.mark.parametrize(
    "value", ["", SHA[:6], OTHER, f"x{SHA[:8]}", f"{SHA[:8]}-dirty", "v1.4", "v1.4.20", SHA.upper(), f"{SHA}0"]
)
def test_another_text_does_not(value: str) -> None:
    assert not SCOPE.is_about(started(value))
    assert SCOPE.is_about(started(value, commit=SHA)), "the pipeline's own commit counts whatever its variables say"
