"""A Deployment that is given a commit when the trigger comes, and rolls it out well or badly."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from homelab_hooks.demo.cluster import Json
from homelab_hooks.demo.rollout_objects import App, deployment, pod, replica_set


class Ending(Enum):
    """How a rollout goes."""

    DONE = auto()
    CRASH = auto()
    """the new image ends with exit code 1 as soon as it starts"""
    PULL = auto()
    """the new image is not in the registry"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """What happens after the trigger, in seconds; until `image_after` the old ReplicaSet looks done: the lie."""

    image_after: float = 1.0
    lag: float = 0.5
    """from the new image in the template to the controller's first act"""
    pod_takes: float = 0.6
    """from a pod's creation until it is ready"""
    ending: Ending = Ending.DONE


LIES = Rollout(image_after=3.0, lag=1.0)
"""everything says success, of the old image, for four seconds"""


@dataclass(frozen=True, slots=True)
class _Play:
    tag: str
    rollout: Rollout
    triggered: float


class Stage:
    """Plays a Deployment: the old image until `deployed` is called, then the rollout.

    Args:
        now: the clock.
    """

    def __init__(self, app: App, *, now: Callable[[], float], old: str = "0aa11bb2") -> None:
        self._app = app
        self._now = now
        self._old = old
        self._play: _Play | None = None  # set at once: the server's threads read it

    def deployed(self, sha: str, rollout: Rollout | None = None) -> None:
        """The trigger: CI has built the commit and hands it to the cluster."""
        self._play = _Play(sha[:8], rollout or Rollout(), self._now())

    def at(self, _elapsed: float) -> Sequence[Json]:
        """All objects of this moment; a timeline."""
        play = self._play
        since = self._now() - play.triggered - play.rollout.image_after if play else -1.0
        if play is None or since < 0:
            return self._settled(self._old, 1)
        if since < play.rollout.lag:
            return self._settled(self._old, 1, wanted=play.tag)
        return self._rolling(play, since - play.rollout.lag)

    def _settled(self, tag: str, number: int, wanted: str = "") -> list[Json]:
        """All pods run one image; with another one `wanted`, the controller has not looked yet."""
        app = self._app
        return [
            deployment(app, wanted or tag, number=number, generation=number + bool(wanted), counts=(app.replicas,) * 3),
            replica_set(app, tag, number=number, replicas=app.replicas),
            *(pod(app, tag, _name(app, tag, index), "ready") for index in range(app.replicas)),
        ]

    def _rolling(self, play: _Play, since: float) -> list[Json]:
        """One new pod after the other; an old one goes for each that is ready."""
        app, takes = self._app, play.rollout.pod_takes
        ready = min(int(since / takes), app.replicas) if play.rollout.ending is Ending.DONE else 0
        if ready == app.replicas and since > (app.replicas + 1) * takes:
            return [*self._settled(play.tag, 2), replica_set(app, self._old, number=1, replicas=0)]
        new, old = min(ready + 1, app.replicas), app.replicas - ready
        dying = [_name(app, self._old, ready - 1)] if ready else []
        states = ["ready"] * ready + [_newest(play.rollout, since - ready * takes)] * (new - ready)
        return [
            deployment(app, play.tag, number=2, generation=2, counts=(new + old, new, app.replicas)),
            replica_set(app, play.tag, number=2, replicas=new),
            replica_set(app, self._old, number=1, replicas=old),
            *(pod(app, play.tag, _name(app, play.tag, index), state) for index, state in enumerate(states)),
            *(pod(app, self._old, _name(app, self._old, index), "ready") for index in range(ready, app.replicas)),
            *(pod(app, self._old, name, "terminating") for name in dying),
        ]


def _newest(rollout: Rollout, age: float) -> str:
    """The state of the pod that is being started."""
    match rollout.ending:
        case Ending.DONE:
            return "creating" if age < rollout.pod_takes / 2 else "starting"
        case Ending.CRASH:
            return f"crashing {int(age / rollout.pod_takes)}"
        case Ending.PULL:
            return "pulling"


def _name(app: App, tag: str, index: int) -> str:
    return f"{app.name}-{tag}-{hashlib.sha256(f'{tag}{index}'.encode()).hexdigest()[:5]}"
