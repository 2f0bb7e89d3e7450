"""homelab deploy wait with each proof that is asked outside the cluster, from the settings to the result."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from homelab_hooks.simulators.kubernetes.objects import SampleApp
from homelab_hooks.simulators.kubernetes.rollouts import DeploymentScript
from homelab_hooks.simulators.kubernetes.server import KubernetesSimulator
from homelab_hooks.simulators.registry.server import RegistrySimulator
from homelab_hooks.simulators.registry.store import RegistryStore
from homelab_hooks.simulators.repositories import Clone
from homelab_hooks.system.clock import SystemClock
from homelab_hooks.text.json_fields import Json
from tests.cli.shell import Shell

if TYPE_CHECKING:
    from pytest_httpserver import HTTPServer

pytestmark = pytest.mark.slow

WAIT = ("homelab", "deploy", "wait", "shop/web", "--settle", "0.2s", "--rollout-timeout", "20s")


@pytest.fixture
def shop(shell: Shell, clone: Clone, tmp_path: Path) -> Iterator[Shell]:
    """The shell, with a cluster that runs app:v1.4.2, and a remote that git can ask."""
    bare = tmp_path / "remote.git"
    clone.git("init", "--quiet", "--bare", str(bare))
    clone.git("remote", "set-url", "origin", str(bare))
    stage = DeploymentScript(SampleApp(), now=SystemClock().now, old="v1.4.2")
    with KubernetesSimulator(stage.at, now=SystemClock().now) as cluster:
        shell.more["KUBECONFIG"] = str(cluster.kubeconfig(tmp_path / "kubeconfig"))
        yield shell


def test_a_release_tag_at_the_remote_proves(shop: Shell, clone: Clone) -> None:
    """By default; the result has the evidence."""
    clone.git("tag", "-a", "-m", "release", "1.4.2")
    clone.git("push", "--quiet", "origin", "refs/tags/1.4.2", f"{clone.head}:refs/heads/main")
    clone.git("tag", "--delete", "1.4.2")
    ended = shop(*WAIT, "--output", "json")
    result = json.loads(ended.lines[-1])
    assert (ended.code, result["verdict"]) == (0, "deployed")
    assert result["deploys"][0]["proof"] == "release 1.4.2"
    assert clone.git("tag", "--list") == ""


def test_a_tag_that_was_moved_proves_nothing(shop: Shell, clone: Clone) -> None:
    clone.git("push", "--quiet", "origin", f"{clone.head}:refs/tags/v1.4.2")
    clone.commit("next")
    clone.git("tag", "v1.4.2")
    clone.git("config", "homelab.imageProof", "release")
    ended = shop(*WAIT)
    assert (ended.code, ended.result["verdict"]) == (10, "rollout-unproven")
    assert "the git tag v1.4.2 was moved" in ended.err


@pytest.mark.parametrize(
    ("revision", "code", "says"),
    [
        ("HEAD", 0, "identified by the revision of its digest in 127.0.0.1"),
        ("", 10, "its label org.opencontainers.image.revision is not set"),
    ],
)
def test_the_registry_proves_by_the_revision_of_the_digest(
    *, shell: Shell, clone: Clone, tmp_path: Path, revision: str, code: int, says: str
) -> None:
    """By default, for an image whose tag names no commit."""
    store = RegistryStore()
    digest = store.repository("app").push_image("latest", revision=clone.sha(revision) if revision else "")
    with RegistrySimulator(store) as registry:
        app = SampleApp(repository=f"{registry.host}/app")
        stage = DeploymentScript(app, now=SystemClock().now, old="latest")

        def at(t: float) -> list[Json]:
            objects = [*stage.at(t)]
            for each in objects:
                for status in each["status"].get("containerStatuses") or ():
                    status["imageID"] = f"{app.repository}@{digest}"
            return objects

        with KubernetesSimulator(at, now=SystemClock().now) as cluster:
            shell.more["KUBECONFIG"] = str(cluster.kubeconfig(tmp_path / "kubeconfig"))
            ended = shell(*WAIT)
        assert ended.code == code
        assert says in ended.err.replace("\n", "")
        assert registry.lines[0] == f"GET /v2/app/manifests/{digest}"
        assert not any(line.endswith("/latest") for line in registry.lines)


def test_the_running_service_proves_by_its_answer(shop: Shell, clone: Clone, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/version").respond_with_json({"build": {"commit": clone.head}})
    ended = shop(*WAIT, "--image-proof", f"live:{httpserver.url_for('/version')}#build.commit")
    assert (ended.code, ended.result["verdict"]) == (0, "deployed")
    assert "identified by the answer of http://" in ended.err


def test_a_resumed_wait_has_the_same_proof(shop: Shell) -> None:
    ended = shop(*WAIT, "--image-proof", "label:commit", "--rollout-timeout", "0")
    assert "--image-proof label:commit" in ended.err
