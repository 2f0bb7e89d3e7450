"""What the canaries of registries and notifications are put in: docker's configuration, its helper, and a setting."""

from __future__ import annotations

import base64
import json

from homelab_hooks.simulators.forge.store import ALL_SCOPES, ForgeUser
from homelab_hooks.simulators.kubernetes.objects import SampleApp
from homelab_hooks.simulators.kubernetes.rollouts import DeploymentScript
from homelab_hooks.simulators.kubernetes.server import KubernetesSimulator
from homelab_hooks.simulators.registry.api import RegistryLogins
from homelab_hooks.simulators.registry.server import RegistrySimulator
from homelab_hooks.simulators.registry.store import RegistryStore
from homelab_hooks.system.clock import SystemClock
from homelab_hooks.text.json_fields import Json
from tests.security.canaries import FORGE, NOTIFY, REGISTRY
from tests.security.canary_clone import CanarySandbox
from tools.soak.forge import ProtectedForge
from tools.soak.plan import ProtectedMain


def _run_image(sandbox: CanarySandbox, logins: RegistryLogins, password: str) -> str:
    """Let the cluster run the commit's image of a private registry, whose name is returned."""
    store = RegistryStore(passwords={"alice": password})
    app = store.repository("acme/app")
    app.readers = frozenset({"alice"})
    digest = app.push_image("latest", revision=sandbox.clone.head)
    registry = sandbox.servers.enter_context(RegistrySimulator(store, logins))
    name = f"{registry.host}/acme/app"
    clock = SystemClock()
    stage = DeploymentScript(SampleApp(repository=name), now=clock.now, old="latest")

    def at(t: float) -> list[Json]:
        objects = [*stage.at(t)]
        for each in objects:
            for status in each["status"].get("containerStatuses") or ():
                status["imageID"] = f"{name}@{digest}"
        return objects

    cluster = sandbox.servers.enter_context(KubernetesSimulator(at, now=clock.now))
    kept = sandbox.folder / "kept"
    (kept / "bin").mkdir(parents=True, exist_ok=True)
    sandbox.shell.more |= {"KUBECONFIG": str(cluster.kubeconfig(kept / "kubeconfig")), "DOCKER_CONFIG": str(kept)}
    return registry.host


def _configure_docker(sandbox: CanarySandbox, **config: object) -> None:
    (sandbox.folder / "kept/config.json").write_text(json.dumps(config))


def _log_in(sandbox: CanarySandbox, host: str) -> None:
    login = base64.b64encode(f"alice:{REGISTRY.value}".encode()).decode()
    _configure_docker(sandbox, auths={host: {"auth": login}})


def private_image(sandbox: CanarySandbox) -> None:
    """A token service is sent the password of docker's configuration."""
    _log_in(sandbox, _run_image(sandbox, RegistryLogins.TOKEN, REGISTRY.value))


def refusing_registry(sandbox: CanarySandbox) -> None:
    """It knows another password."""
    _log_in(sandbox, _run_image(sandbox, RegistryLogins.BASIC, "another"))


def image_by_helper(sandbox: CanarySandbox) -> None:
    """A credential helper has the password; the variables that it gets are recorded."""
    host, kept = _run_image(sandbox, RegistryLogins.BASIC, REGISTRY.value), sandbox.folder / "kept"
    _configure_docker(sandbox, credHelpers={host: "canary"})
    (kept / "login").write_text(json.dumps({"Username": "alice", "Secret": REGISTRY.value}))
    helper = kept / "bin/docker-credential-canary"
    helper.write_text(f"#!/bin/sh\nenv >/dev/null\nexec cat '{kept}/login'\n")
    helper.chmod(0o755)
    sandbox.shell.more["PATH"] += f":{kept}/bin"


def notifying(sandbox: CanarySandbox) -> None:
    """Every end is told to a service that is not there."""
    sandbox.configure(
        "homelab.notifyUrl", f"json://ann:{NOTIFY.value}@127.0.0.1:1/{NOTIFY.value}?+X-Key={NOTIFY.value}"
    )
    sandbox.configure("homelab.notifyAfter", "0")


def on_main(sandbox: CanarySandbox) -> None:
    """The commit has landed."""
    sandbox.clone.git("push", "--quiet", "origin", "HEAD:main")


def protected_forge(sandbox: CanarySandbox) -> None:
    """The target takes pull requests only, and a check of them is green at once."""
    rules = ProtectedMain(own="never", check_s=0.0)
    forge = ProtectedForge("acme/app", rules, sandbox.workshop, sandbox.woodpecker, lambda _: None)
    sandbox.servers.enter_context(forge)
    forge.begin()
    forge.simulator.store.users[:] = [ForgeUser("ann", tokens={FORGE.value: ALL_SCOPES})]
    sandbox.git.plan.on_push = forge.check
    sandbox.shell.more |= {**forge.environ, "HOMELAB_FORGE_TOKEN": FORGE.value}
