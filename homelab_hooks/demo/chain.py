"""The chain of the demo: a push mirror, Actions at the mirror's forge, a manual pipeline, a rollout, and a web service.

Each part starts the next one, as real ones do; the seconds between them are scripted.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

from homelab_hooks.demo.environment import MIRROR_REPO, REPO, TARGET, DemoEnvironment
from homelab_hooks.simulators.balancer import LoadBalancer
from homelab_hooks.simulators.forge.runs import RunPhase, SimulatedJob, SimulatedRun
from homelab_hooks.simulators.forge.server import ForgeSimulator
from homelab_hooks.simulators.forge.store import ALL_SCOPES, ForgeStore, ForgeUser, RepoRight, SimulatedForgeRepo
from homelab_hooks.simulators.git_http import PushedRef
from homelab_hooks.simulators.kubernetes.rollouts import ScriptedRollout
from homelab_hooks.simulators.push_mirror import PushMirror
from homelab_hooks.simulators.web_service import WebService
from homelab_hooks.simulators.woodpecker import timelines

SHOP = "shop.example.test"
LINKS = (
    "mirror:github",
    "actions:github",
    f"ci:manual@{MIRROR_REPO}",
    f"deploy:{TARGET}",
    f"live:https://{SHOP}/version#commit",
)
MIRROR_LAG_S = 3.0
"""seconds from the push to the copy of it"""
BUILD_S = 2.5
"""seconds that the Actions run takes"""
DEPLOY_AT_S, DEPLOY_TAKES_S = 3.0, 19.0
"""seconds from the copy to the manual pipeline, and that it takes: homelab waits 15 s for further Actions runs"""
IMAGE_AT_S = DEPLOY_AT_S + DEPLOY_TAKES_S + 0.5
"""seconds from the copy until the Deployment has the new image"""
SERVED_AT_S = IMAGE_AT_S + 6.0
"""seconds from the copy until the service names the new commit: a cache in front of it is older than the rollout"""


def build_chain(scene: DemoEnvironment) -> None:
    """Add the parts of the chain to the environment, and set `follow` in the clone's git config."""
    _ChainParts(scene, mirror_lag_s=MIRROR_LAG_S)


def build_stuck_chain(scene: DemoEnvironment) -> None:
    """Add the same chain with a mirror that never copies the commit."""
    _ChainParts(scene, mirror_lag_s=None)


class _ChainParts:
    """The servers of the chain, which stop with the environment."""

    def __init__(self, scene: DemoEnvironment, *, mirror_lag_s: float | None) -> None:
        self._scene = scene
        self._old = scene.repositories.server_commit("main")
        source, target = scene.git.root / f"{REPO}.git", scene.git.root / f"{MIRROR_REPO}.git"
        self._mirror = PushMirror(source, target, scene.repositories.environ, lag_s=mirror_lag_s)
        self._mirror.on_copied = self._copied
        token = secrets.token_hex(20)
        user = ForgeUser("ann", tokens={token: ALL_SCOPES})
        self._repo = SimulatedForgeRepo(MIRROR_REPO, {"ann": RepoRight.WRITE}, {"main": self._old})
        self._forge = ForgeSimulator(ForgeStore([user], [self._repo], now=scene.clock.now))
        self._web = WebService(now=scene.clock.now, sha=self._old)
        scene.open(self._mirror)
        scene.open(self._forge)
        scene.open(self._web)
        scene.environ["GITEA_TOKEN"] = token
        scene.after_push = self._pushed
        self._configure(scene.open(LoadBalancer(self._web.url, path=scene.path, name=SHOP)))

    def _configure(self, balancer: LoadBalancer) -> None:
        clone = self._scene.my_clone
        clone.git("remote", "add", "github", f"{self._scene.git.url}/{MIRROR_REPO}.git")
        for key, value in (
            ("homelab.github.forgeUrl", self._forge.url),
            ("homelab.connectTo", f"{SHOP}={balancer.dial}"),
            ("homelab.caFile", str(balancer.ca_file)),
            *(("homelab.follow", link) for link in LINKS),
        ):
            clone.git("config", "--add", key, value)

    def _pushed(self, update: PushedRef) -> None:
        """Act as the forge: mirror the push."""
        if update.repository == REPO:
            self._mirror.start_copy(update.new)

    def _copied(self, sha: str) -> None:
        """Act as the mirror's forge: build the commit, and start the pipeline that deploys it."""
        scene, now = self._scene, self._scene.clock.now()
        self._repo.branches["main"] = sha
        phases = (
            RunPhase(now + 0.3, "queued"),
            RunPhase(now + 0.6, "in_progress"),
            RunPhase(now + BUILD_S, "completed", "success"),
        )
        job = SimulatedJob(1, "build", phases, log="built and pushed the image\n")
        started_at = datetime.now(UTC).isoformat(timespec="seconds")
        self._repo.reports.runs.append(SimulatedRun(1, "build.yaml", sha, phases, (job,), started_at=started_at))
        scene.ci.push(
            MIRROR_REPO,
            "main",
            self._old,  # the pipeline runs at a commit of its own; its variable names the one that it deploys
            timelines.make_green(DEPLOY_TAKES_S, steps=("deploy",)),
            after=DEPLOY_AT_S,
            event="manual",
            message="deploy",
            extra={"variables": {"IMAGE_TAG": sha[:8]}},
        )
        scene.deployment.deploy(sha, ScriptedRollout(image_after=IMAGE_AT_S))
        self._web.deploy(sha, after=SERVED_AT_S)
