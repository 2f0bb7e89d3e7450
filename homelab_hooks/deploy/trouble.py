"""What goes wrong with new pods, and for how long it has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto

from homelab_hooks.kubectl.facts import ContainerState, Kind, Phase, Pod
from homelab_hooks.text import short

CERTAIN_AFTER = 10.0
"""seconds that evidence of a lasting fault must last, over at least two looks (contract, section 10)"""
PATIENCE = 60.0
"""seconds of trouble that may pass, for kinds that have no progress deadline"""
RESTARTS = 3
"""the restart at which a crash is a loop"""

_PULL = {"ErrImagePull", "ImagePullBackOff", "RegistryUnavailable", "ImageInspectError", "SignatureValidationFailed"}
_WRONG_NAME = {"InvalidImageName", "ErrImageNeverPull"}
_NOT_FOUND = re.compile(r"not ?found|manifest unknown|name unknown|does not exist|no such image", re.IGNORECASE)
_NOT_ALLOWED = re.compile(
    r"unauthori[sz]ed|denied|authentication required|no basic auth|\b40[13]\b|forbidden", re.IGNORECASE
)
_NO_CAUSE = re.compile(r"^(Back-off pulling image \S+\s*)?$")
_LONGEST = 400
_CACHE = re.compile(r"failed to sync .* cache", re.IGNORECASE)


class Fate(Enum):
    """What a trouble leads to."""

    CRASHING = auto()
    """a crash loop: hopeless as soon as it is seen"""
    LASTING = auto()
    """hopeless once it has lasted"""
    PASSING = auto()
    """may pass: the progress deadline decides, or a minute"""


@dataclass(frozen=True, slots=True)
class Crashed:
    """Whose last words may say why."""

    pod: str
    container: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that is wrong at one look."""

    key: str
    fate: Fate
    text: str
    blind: bool = False
    """it does not say its cause; what was seen before may"""
    crashed: Crashed | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """A trouble with its age: the time of the first look that saw it, and how many did."""

    trouble: Trouble
    since: float
    looks: int


def aged(before: Sequence[Evidence], now_seen: Sequence[Trouble], now: float) -> tuple[Evidence, ...]:
    """The evidence after one more look: what is seen no more is forgotten."""
    known = {evidence.trouble.key: evidence for evidence in before}
    return tuple(_older(known.get(trouble.key), trouble, now) for trouble in now_seen)


def _older(known: Evidence | None, trouble: Trouble, now: float) -> Evidence:
    if known is None:
        return Evidence(trouble, now, 1)
    if trouble.blind and known.trouble.fate is Fate.LASTING:
        return replace(known, looks=known.looks + 1)
    if known.trouble.fate is not trouble.fate:
        return Evidence(trouble, now, 1)
    # ErrImagePull and ImagePullBackOff alternate: the first text is kept, so that one trouble is told once.
    said = known.trouble if trouble.key.startswith("image ") else trouble
    return Evidence(said, known.since, known.looks + 1)


def hopeless(evidence: Iterable[Evidence], kind: Kind, now: float) -> Trouble | None:
    """The trouble that decides the rollout's failure, if one does by now."""
    for each in evidence:
        lasted = now - each.since if each.looks > 1 else -1.0
        match each.trouble.fate:
            case Fate.CRASHING:
                return each.trouble
            case Fate.LASTING if lasted >= CERTAIN_AFTER:
                return each.trouble
            case Fate.PASSING if kind is not Kind.DEPLOYMENT and lasted >= PATIENCE:
                return each.trouble
            case _:
                continue
    return None


def troubles(pods: Iterable[Pod], first_restarts: Mapping[str, int], cannot_create: str) -> tuple[Trouble, ...]:
    """All that is wrong with the new pods, the worst first, each kind once.

    Args:
        first_restarts: by pod uid, the restarts at the first look that saw it.
        cannot_create: why no pod can be made, in the controller's words.
    """
    found = [Trouble("create", Fate.PASSING, f"pods cannot be created: {cannot_create}")] if cannot_create else []
    for pod in pods:
        found += _of_pod(pod, first_restarts.get(pod.uid, pod.restarts))
    found.sort(key=lambda trouble: list(Fate).index(trouble.fate))
    return tuple({trouble.key: trouble for trouble in reversed(found)}.values())[::-1]


def signs(pod: Pod) -> tuple[str, ...]:
    """What is wrong with a pod at one moment, in words; a restart more is another word."""
    return tuple(trouble.text for trouble in _of_pod(pod, 0))


def _of_pod(pod: Pod, first: int) -> Iterable[Trouble]:
    if pod.unschedulable:
        yield Trouble("schedule", Fate.PASSING, f"pod {pod.name} cannot be scheduled: {pod.unschedulable}")
    for container in pod.containers:
        if (trouble := _of_container(pod, container)) is not None:
            yield trouble
        if _crashes(container) or (pod.restarts > first and _runs_again(container)):
            fate = Fate.CRASHING if pod.restarts >= RESTARTS else Fate.PASSING
            text, who = _crash_text(pod, container), Crashed(pod.name, container.name)
            yield Trouble(f"crash {container.name}", fate, text, crashed=who)


def _of_container(pod: Pod, container: ContainerState) -> Trouble | None:
    if container.phase is not Phase.WAITING:
        return None
    where = f"{_where(pod, container)}: {container.reason}"
    text = short(f"{where}: {container.message}" if container.message else where, _LONGEST)
    if container.reason in _WRONG_NAME:
        return Trouble(f"image {container.name}", Fate.LASTING, text)
    if container.reason in _PULL:
        certain = _NOT_FOUND.search(container.message) or _NOT_ALLOWED.search(container.message)
        blind = bool(_NO_CAUSE.match(container.message))
        return Trouble(f"image {container.name}", Fate.LASTING if certain else Fate.PASSING, text, blind)
    if container.reason == "CreateContainerConfigError":
        fate = Fate.PASSING if _CACHE.search(container.message) else Fate.LASTING
        return Trouble(f"config {container.name}", fate, text)
    if container.reason in {"CreateContainerError", "RunContainerError"}:
        return Trouble(f"start {container.name}", Fate.PASSING, text)
    return None


def _crashes(container: ContainerState) -> bool:
    """It lies on the floor at this look; an init container that ended well does not."""
    if container.ready or container.restarts == 0:
        return False
    if container.phase is Phase.TERMINATED:
        return not (container.init and container.exit_code == 0)
    return container.phase is Phase.WAITING and container.reason in {"CrashLoopBackOff", "RunContainerError"}


def _runs_again(container: ContainerState) -> bool:
    return container.phase is Phase.RUNNING and not container.ready and container.last_exit_code is not None


def _crash_text(pod: Pod, container: ContainerState) -> str:
    ended = container.phase is Phase.TERMINATED
    code = container.exit_code if ended else container.last_exit_code
    reason = container.reason if ended else container.last_reason
    how = "out of memory" if reason == "OOMKilled" else f"exit code {code}" if code is not None else reason
    return f"{_where(pod, container)} crashes ({how}), {pod.restarts} restarts"


def _where(pod: Pod, container: ContainerState) -> str:
    return f"pod {pod.name}, {'init container' if container.init else 'container'} {container.name}"
