"""A Deployment that is given a commit when the trigger comes, and rolls it out well or badly."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from homelab_hooks.simulators.kubernetes.objects import SampleApp, make_deployment, make_pod, make_replica_set
from homelab_hooks.simulators.kubernetes.timeline import Json


class RolloutEnding(Enum):
    """How a rollout goes."""

    DONE = auto()
    CRASH = auto()
    """the new image ends with exit code 1 as soon as it starts"""
    PULL = auto()
    """the new image is not in the registry"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptedRollout:
    """What happens after the trigger, in seconds; until `image_after` the old ReplicaSet looks done: the lie."""

    image_after: float = 1.0
    lag: float = 0.5
    """from the new image in the template to the controller's first act"""
    pod_takes: float = 0.6
    """from a pod's creation until it is ready"""
    ending: RolloutEnding = RolloutEnding.DONE


LATE_IMAGE = ScriptedRollout(image_after=3.0, lag=1.0)
"""everything says success, of the old image, for four seconds"""


@dataclass(frozen=True, slots=True)
class _RunningRollout:
    tag: str
    rollout: ScriptedRollout
    triggered: float


class DeploymentScript:
    """Plays a Deployment: the old image until `deploy` is called, then the rollout.

    Args:
        now: the clock.
    """

    def __init__(self, app: SampleApp, *, now: Callable[[], float], old: str = "0aa11bb2") -> None:
        self._app = app
        self._now = now
        self._old = old
        self._rollout: _RunningRollout | None = None  # set at once: the server's threads read it

    def deploy(self, sha: str, rollout: ScriptedRollout | None = None) -> None:
        """The trigger: CI has built the commit and hands it to the cluster."""
        self._rollout = _RunningRollout(sha[:8], rollout or ScriptedRollout(), self._now())

    def at(self, _elapsed: float) -> Sequence[Json]:
        """All objects of this moment; a timeline."""
        rollout = self._rollout
        since = self._now() - rollout.triggered - rollout.rollout.image_after if rollout else -1.0
        if rollout is None or since < 0:
            return self._settled(self._old, 1)
        if since < rollout.rollout.lag:
            return self._settled(self._old, 1, wanted=rollout.tag)
        return self._rolling(rollout, since - rollout.rollout.lag)

    def _settled(self, tag: str, number: int, wanted: str = "") -> list[Json]:
        """All pods run one image; with another one `wanted`, the controller has not looked yet."""
        app = self._app
        return [
            make_deployment(
                app, wanted or tag, number=number, generation=number + bool(wanted), counts=(app.replicas,) * 3
            ),
            make_replica_set(app, tag, number=number, replicas=app.replicas),
            *(make_pod(app, tag, _name(app, tag, index), "ready") for index in range(app.replicas)),
        ]

    def _rolling(self, rollout: _RunningRollout, since: float) -> list[Json]:
        """One new pod after the other; an old one goes for each that is ready."""
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
    """The state of the pod that is being started."""
    match rollout.ending:
        case RolloutEnding.DONE:
            return "creating" if age < rollout.pod_takes / 2 else "starting"
        case RolloutEnding.CRASH:
            return f"crashing {int(age / rollout.pod_takes)}"
        case RolloutEnding.PULL:
            return "pulling"


def _name(app: SampleApp, tag: str, index: int) -> str:
    return f"{app.name}-{tag}-{hashlib.sha256(f'{tag}{index}'.encode()).hexdigest()[:5]}"
