"""The demo of an image that is always `:latest`: a registry whose images are labelled with their commit."""

from __future__ import annotations

from homelab_hooks.demo.environment import REPO, DemoEnvironment
from homelab_hooks.simulators.git_http import PushedRef
from homelab_hooks.simulators.kubernetes.objects import SampleApp
from homelab_hooks.simulators.kubernetes.rollouts import DeploymentScript
from homelab_hooks.simulators.registry.server import RegistrySimulator
from homelab_hooks.simulators.registry.store import RegistryStore
from homelab_hooks.text.humanize import IMAGE_SHA_DIGITS, short_sha

TAG = "latest"


def deploy_latest(scene: DemoEnvironment) -> None:
    """Let each push be built as `:latest`, with the label of its commit, and let the Deployment be restarted."""
    store = RegistryStore()
    images = store.repository(REPO)
    registry = scene.open(RegistrySimulator(store))
    digests: dict[str, str] = {}

    def build(sha: str) -> None:
        digests[short_sha(sha, IMAGE_SHA_DIGITS)] = images.push_image(TAG, revision=sha)

    old = scene.repositories.server_commit("main")
    build(old)
    app = SampleApp(repository=f"{registry.host}/{REPO}", moving_tag=TAG, digests=digests)
    scene.deployment = DeploymentScript(app, now=scene.clock.now, old=short_sha(old, IMAGE_SHA_DIGITS))

    def on_push(update: PushedRef) -> None:
        build(update.new)

    scene.after_push = on_push
