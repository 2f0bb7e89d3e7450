"""A scripted Deployment that rolls out a commit, successfully or not."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from homelab_hooks.simulators.kubernetes.objects import SampleApp, make_deployment, make_pod, make_replica_set
from homelab_hooks.text.json_fields import Json


class RolloutEnding(Enum):
    """How a rollout ends."""

    DONE = auto()
    CRASH = auto()
    """the new container exits with code 1 as soon as it starts"""
    PULL = auto()
    """the new image is not in the registry"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptedRollout:
    """A rollout, in seconds after `deploy`; until `image_after`, the Deployment reports the old rollout as done."""

    image_after: float = 1.0
    lag: float = 0.5
    """from the new image in the template until the controller acts on it"""
    pod_takes: float = 0.6
    """from the creation of a pod until it is ready"""
    ending: RolloutEnding = RolloutEnding.DONE


LATE_IMAGE = ScriptedRollout(image_after=3.0, lag=1.0)
"""the old image is reported as successfully rolled out for four seconds"""


@dataclass(frozen=True, slots=True)
class _RunningRollout:
    tag: str
    rollout: ScriptedRollout
    triggered: float


class DeploymentScript:
    """A Deployment that runs the old image until `deploy` is called, and then rolls out.

    Args:
        now: returns the time in seconds.
        old: the tag of the old image.
    """

    def __init__(self, app: SampleApp, *, now: Callable[[], float], old: str = "0aa11bb2") -> None:
        self._app = app
        self._now = now
        self._old = old
        self._rollout: _RunningRollout | None = None  # assigned in one step: the server's threads read it

    def deploy(self, sha: str, rollout: ScriptedRollout | None = None) -> None:
        """Start the rollout of a commit, as CI does after the build."""
        self._rollout = _RunningRollout(sha[:8], rollout or ScriptedRollout(), self._now())

    def at(self, _elapsed: float) -> Sequence[Json]:
        """Return the objects at the current time; a `ClusterTimeline`."""
        rollout = self._rollout
        since = self._now() - rollout.triggered - rollout.rollout.image_after if rollout else -1.0
        if rollout is None or since < 0:
            return self._settled(self._old, 1)
        if since < rollout.rollout.lag:
            return self._settled(self._old, 1, wanted=rollout.tag)
        return self._rolling(rollout, since - rollout.rollout.lag)

    def _settled(self, tag: str, number: int, wanted: str = "") -> list[Json]:
        """Return the objects while all pods run `tag`; `wanted`: a new tag that the controller has not observed yet."""
        app = self._app
        return [
            make_deployment(
                app, wanted or tag, number=number, generation=number + bool(wanted), counts=(app.replicas,) * 3
            ),
            make_replica_set(app, tag, number=number, replicas=app.replicas),
            *(make_pod(app, tag, _name(app, tag, index), "ready") for index in range(app.replicas)),
        ]

    def _rolling(self, rollout: _RunningRollout, since: float) -> list[Json]:
        """Return the objects during a rolling update: each ready new pod replaces an old one."""
        app, takes = self._app, rollout.rollout.pod_takes
        ready = min(int(since / takes), app.replicas) if rollout.rollout.ending is RolloutEnding.DONE else 0
        if ready == app.replicas and since > (app.replicas + 1) * takes:
            return [*self._settled(rollout.tag, 2), make_replica_set(app, self._old, number=1, replicas=0)]
        new, old = min(ready + 1, app.replicas), app.replicas - ready
        dying = [_name(app, self._old, ready - 1)] if ready else []
        states = ["ready"] * ready + [_new_pod_state(rollout.rollout, since - ready * takes)] * (new - ready)
        return [
            make_deployment(app, rollout.tag, number=2, generation=2, counts=(new + old, new, app.replicas)),
            make_replica_set(app, rollout.tag, number=2, replicas=new),
            make_replica_set(app, self._old, number=1, replicas=old),
            *(make_pod(app, rollout.tag, _name(app, rollout.tag, index), state) for index, state in enumerate(states)),
            *(make_pod(app, self._old, _name(app, self._old, index), "ready") for index in range(ready, app.replicas)),
            *(make_pod(app, self._old, name, "terminating") for name in dying),
        ]


def _new_pod_state(rollout: ScriptedRollout, age: float) -> str:
    """Return the state of the newest pod, `age` seconds after its creation."""
    match rollout.ending:
        case RolloutEnding.DONE:
            return "creating" if age < rollout.pod_takes / 2 else "starting"
        case RolloutEnding.CRASH:
            return f"crashing {int(age / rollout.pod_takes)}"
        case RolloutEnding.PULL:
            return "pulling"


def _name(app: SampleApp, tag: str, index: int) -> str:
    return f"{app.name}-{tag}-{hashlib.sha256(f'{tag}{index}'.encode()).hexdigest()[:5]}"
