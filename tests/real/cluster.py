"""A real cluster, if one is named that says of itself that it may be used: a namespace and a Deployment in it."""

from __future__ import annotations

import json
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from homelab_hooks.system.completed import Completed
from homelab_hooks.system.process_runner import ProcessRunner
from tests.cli.shell import CommandResult
from tests.waiting import HANG_S

VARIABLE = "HOMELAB_TEST_KUBECONFIG"
PREFIX = "homelab-test"
"""how its context's name must begin, so that no other cluster is touched by accident"""
IMAGE = "HOMELAB_TEST_IMAGE"
"""names another image that the cluster can pull, and that runs without arguments"""
COMMIT = "homelab.test/commit"
OLD, NEW = "0aa11bb2" + "0" * 32, "9f2c1a7b" + "0" * 32
_PROGRAMS = Path(sys.executable).parent


def why_not(environ: Mapping[str, str]) -> str:
    """Why the cluster that is named cannot be used; empty where it can."""
    path = environ.get(VARIABLE, "")
    if not path:
        return f"set {VARIABLE} to a kubeconfig whose current context begins with {PREFIX} to run these"
    argv = [str(_PROGRAMS / "kubectl"), f"--kubeconfig={path}", "config", "current-context"]
    context = ProcessRunner(environ).run(argv, timeout=HANG_S).out.strip()
    if not context.startswith(PREFIX):
        return f"{VARIABLE}: its current context is {context!r}, whose name does not begin with {PREFIX}"
    return ""


@dataclass
class Cluster:
    """A namespace of our own in it; the commit is an annotation of the template, so that any image will do."""

    environ: Mapping[str, str]
    namespace: str

    @classmethod
    def named(cls, environ: Mapping[str, str]) -> Cluster:
        """The one that the variable names, with a namespace made for this test."""
        cluster = cls(environ, f"{PREFIX}-{secrets.token_hex(4)}")
        cluster.kubectl("create", "namespace", cluster.namespace)
        return cluster

    def kubectl(self, *words: str, stdin: bytes = b"") -> Completed:
        """Run to the end, which is a good one."""
        argv = [str(_PROGRAMS / "kubectl"), f"--kubeconfig={self.environ[VARIABLE]}", f"--namespace={self.namespace}"]
        done = ProcessRunner(self.environ).run([*argv, *words], stdin=stdin, timeout=HANG_S)
        assert done.ok, done
        return done

    def close(self) -> None:
        """Take the namespace away, without waiting for its end."""
        self.kubectl("delete", "namespace", self.namespace, "--wait=false")

    def deploy(self, commit: str, image: str = "") -> None:
        """Make the Deployment, or give it another template."""
        name = image or self.environ.get(IMAGE, "registry.k8s.io/pause:3.10")
        labels = {"app": "web"}
        container: dict[str, Any] = {"name": "app", "image": name}
        template = {
            "metadata": {"labels": labels, "annotations": {COMMIT: commit}},
            "spec": {"containers": [container]},
        }
        spec = {"replicas": 2, "selector": {"matchLabels": labels}, "template": template}
        raw = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}
        self.kubectl("apply", "--filename=-", stdin=json.dumps(raw).encode())

    def status(self) -> Completed:
        """What kubectl says about the rollout, once it is done in its eyes."""
        return self.kubectl("rollout", "status", "deployment/web", "--timeout=150s")

    def runs(self) -> list[str]:
        """The commits of all pods that are not on their way out."""
        pods = json.loads(self.kubectl("get", "pods", "--output=json").out)["items"]
        living = [pod["metadata"] for pod in pods if "deletionTimestamp" not in pod["metadata"]]
        return [pod["annotations"][COMMIT] for pod in living]

    def wait(self, *options: str) -> CommandResult:
        """`homelab deploy wait` for the new commit, as a process."""
        argv = [
            str(_PROGRAMS / "homelab"), "deploy", "wait", f"{self.namespace}/web", "--sha", NEW,
            f"--kubeconfig={self.environ[VARIABLE]}", f"--image-proof=annotation:{COMMIT}", "--settle=2s",
            "--rollout-timeout=2m", "--output=plain", *options,
        ]  # fmt: skip
        path = f"{_PROGRAMS}:{self.environ.get('PATH', '')}"
        done = ProcessRunner({**self.environ, "PATH": path}).run(argv, timeout=HANG_S)
        return CommandResult(done.code, done.out, done.err)
