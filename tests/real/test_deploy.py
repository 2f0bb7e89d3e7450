"""Deploy waits against a real cluster: a rollout that goes well, one that fails, and one that has not begun."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real.cluster import NEW, OLD, PREFIX, VARIABLE, Cluster, why_not

pytestmark = [pytest.mark.real, pytest.mark.slow]


@pytest.fixture
def kubernetes() -> Iterator[Cluster]:
    """With the old commit rolled out."""
    cluster = Cluster.named(os.environ)
    try:
        cluster.deploy(OLD)
        cluster.status()
        yield cluster
    finally:
        cluster.close()


def test_an_ordinary_rollout_is_deployed(kubernetes: Cluster) -> None:
    kubernetes.deploy(NEW)
    ended = kubernetes.wait()
    assert (ended.code, ended.result["verdict"]) == (0, "deployed"), ended
    assert kubernetes.runs() == [NEW, NEW]


def test_a_rollout_of_an_image_that_does_not_exist_fails_early(kubernetes: Cluster) -> None:
    kubernetes.deploy(NEW, image="registry.k8s.io/pause:no-such-tag-at-all")
    ended = kubernetes.wait()
    assert (ended.code, ended.result["verdict"]) == (9, "rollout-failed"), ended
    assert "no-such-tag-at-all" in ended.err


def test_a_rollout_that_has_not_begun_is_waited_for_though_kubectl_says_success(kubernetes: Cluster) -> None:
    early = kubernetes.status()
    assert "successfully rolled out" in early.out
    assert kubernetes.runs() == [OLD, OLD]
    change = threading.Timer(3.0, kubernetes.deploy, [NEW])
    change.start()
    ended = kubernetes.wait()
    change.join()
    assert (ended.code, ended.result["verdict"]) == (0, "deployed"), ended
    assert kubernetes.runs() == [NEW, NEW]


def test_a_cluster_with_another_name_is_never_touched(tmp_path: Path) -> None:
    """Whatever the variable says, the context's name must say that it may be used."""
    path = tmp_path / "config"
    for name, refused in (("production", True), ("my-homelab-test", True), (f"{PREFIX}-1", False)):
        path.write_text(f"{{apiVersion: v1, kind: Config, current-context: {name}}}", encoding="utf-8")
        assert bool(why_not({**os.environ, VARIABLE: str(path)})) is refused
