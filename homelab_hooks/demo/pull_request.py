"""The protected target of the demo: a forge whose main takes only pull requests with a green check."""

from __future__ import annotations

import secrets

from homelab_hooks.demo.environment import REPO, DemoEnvironment
from homelab_hooks.simulators.forge.bare import BareRepository
from homelab_hooks.simulators.forge.pulls import SimulatedProtection
from homelab_hooks.simulators.forge.runs import SimulatedStatus
from homelab_hooks.simulators.forge.server import ForgeSimulator
from homelab_hooks.simulators.forge.store import (
    ALL_SCOPES,
    ForgeStore,
    ForgeUser,
    HookDelivery,
    RepoRight,
    SimulatedForgeRepo,
    SimulatedWebhook,
)
from homelab_hooks.simulators.git_http import PushedRef
from homelab_hooks.simulators.woodpecker import timelines

CHECK = "ci/woodpecker/pr/test"
CHECK_TAKES_S = 2.0
"""seconds that the pipeline of the pull request takes"""


def require_pull_request(scene: DemoEnvironment) -> None:
    """Protect main on a simulated forge, and set `homelab.protected` in the clone's git config."""
    token = secrets.token_hex(20)
    git = BareRepository(scene.git.root / f"{REPO}.git", scene.repositories.environ)
    hook = SimulatedWebhook(1, f"{scene.ci.url}/api/hook")
    repo = SimulatedForgeRepo(REPO, {"ann": RepoRight.WRITE}, hooks=[hook], git=git)
    repo.protect("main", SimulatedProtection(contexts=("ci/woodpecker/pr/*",)))
    store = ForgeStore([ForgeUser("ann", tokens={token: ALL_SCOPES})], [repo], now=scene.clock.now)

    def deliver(delivery: HookDelivery) -> None:
        """Act as the webhook: the merge is a push to main."""
        scene.start_pipeline(delivery.after)

    def check(update: PushedRef) -> None:
        """Act as CI for the pull request: a pipeline, and the status that the forge requires."""
        now, sha = scene.clock.now(), update.new
        states = ((0.5, "pending"), (CHECK_TAKES_S + 0.5, "success"))
        known = repo.reports.statuses
        known += [SimulatedStatus(len(known) + i, sha, CHECK, state, now + at) for i, (at, state) in enumerate(states)]
        script = timelines.make_green(CHECK_TAKES_S)
        ref = "refs/pull/1/head"
        scene.ci.push(REPO, "main", sha, script, after=0.5, event="pull_request", ref=ref, message="greet the world")

    forge = scene.open(ForgeSimulator(store, deliver))
    scene.environ["GITEA_TOKEN"] = token
    scene.after_branch_push = check
    scene.my_clone.git("config", "homelab.protected", "merge")
    scene.my_clone.git("config", "homelab.origin.forgeUrl", forge.url)
