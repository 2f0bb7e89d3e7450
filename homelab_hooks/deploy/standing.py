"""Whose commit a workload names: ours, a newer one that contains it, another one, or none."""

from __future__ import annotations

from dataclasses import dataclass

from homelab_hooks import image
from homelab_hooks.deploy.question import Question, Snapshot
from homelab_hooks.history import Containment
from homelab_hooks.kubectl.facts import Container, Workload


@dataclass(frozen=True, slots=True)
class Ours:
    """It names the commit."""

    image: str
    containers: tuple[str, ...]
    """names of the containers that prove it"""


@dataclass(frozen=True, slots=True)
class Newer:
    """It names a newer commit, which contains ours."""

    image: str
    containers: tuple[str, ...]
    name: str


@dataclass(frozen=True, slots=True)
class Other:
    """It names something else, that does not contain the commit as far as can be known."""

    image: str
    name: str
    unknown: bool = False
    """git does not know the name here, so that it may be newer"""


@dataclass(frozen=True, slots=True)
class Nameless:
    """Nothing on it can name a commit."""

    image: str
    reason: str


Standing = Ours | Newer | Other | Nameless


@dataclass(frozen=True, slots=True)
class _Mark:
    """A text that may name a commit, with the image it stands for."""

    text: str
    image: str
    container: str


def strangers(workload: Workload, question: Question) -> tuple[str, ...]:
    """The names on a workload that git has to be asked about; none where one of them is ours already."""
    if question.exact or isinstance(question.proof, image.ByDigest):
        return ()
    marks = [mark for mark in _marks(workload, question) if not image.dirty(mark.text)]
    if any(image.names(mark.text, question.sha) for mark in marks):
        return ()
    return tuple(dict.fromkeys(name for mark in marks for name in image.commits(mark.text)))


def standing(snapshot: Snapshot, question: Question) -> Standing:
    """What the workload's template (or what else is the proof) names."""
    if isinstance(question.proof, image.ByDigest):
        return _by_digest(snapshot, question, question.proof.digest)
    marks = _marks(snapshot.workload, question)
    telling = [mark for mark in marks if image.commits(mark.text)]
    if not telling:
        return _nameless(snapshot.workload, question, marks)
    if ours := [mark for mark in telling if image.names(mark.text, question.sha)]:
        return Ours(ours[0].image, _containers(ours))
    for mark in () if question.exact else telling:
        for name in () if image.dirty(mark.text) else image.commits(mark.text):
            if snapshot.kin.get(name) is Containment.CONTAINS:
                return Newer(mark.image, _containers([mark]), name)
    first = telling[0]
    known = [snapshot.kin.get(name, Containment.UNKNOWN) for name in image.commits(first.text)]
    unknown = Containment.APART not in known and not image.dirty(first.text) and not question.exact
    return Other(first.image, first.text, unknown=unknown)


def proves(snapshot: Snapshot, question: Question) -> bool:
    """Whether the workload is to run the commit, or a newer one that counts."""
    return isinstance(standing(snapshot, question), Ours | Newer)


def _marks(workload: Workload, question: Question) -> list[_Mark]:
    candidates = _candidates(workload, question)
    match question.proof:
        case image.ByTag():
            return [_Mark(image.tag(each.image), each.image, each.name) for each in candidates]
        case image.ByEnv(name):
            return [_Mark(each.env[name], each.image, each.name) for each in candidates if name in each.env]
        case image.ByAnnotation(key):
            found = workload.template.annotations.get(key) or workload.annotations.get(key)
            return [_Mark(found, each.image, each.name) for each in candidates] if found else []
        case image.ByLabel(key):
            found = workload.template.labels.get(key) or workload.labels.get(key)
            return [_Mark(found, each.image, each.name) for each in candidates] if found else []
        case image.ByDigest():
            return []


def _candidates(workload: Workload, question: Question) -> list[Container]:
    wanted = question.container
    return [each for each in workload.template.containers if not wanted or each.name == wanted]


def _containers(marks: list[_Mark]) -> tuple[str, ...]:
    return tuple(mark.container for mark in marks)


def _nameless(workload: Workload, question: Question, marks: list[_Mark]) -> Nameless:
    candidates = _candidates(workload, question)
    if not candidates:
        return Nameless("", f"it has no container {question.container}")
    shown = candidates[0].image
    match question.proof:
        case image.ByTag():
            return Nameless(shown, f"the tag of {shown} names no commit")
        case proof:
            said = f"is {marks[0].text!r}, which names no commit" if marks else "is not there"
            return Nameless(shown, f"its {str(proof).replace(':', ' ', 1)} {said}")


def _by_digest(snapshot: Snapshot, question: Question, wanted: str) -> Standing:
    """Ours if the template or a living new pod has the digest: a tag alone says nothing about it."""
    candidates = _candidates(snapshot.workload, question)
    if not candidates:
        return Nameless("", f"it has no container {question.container}")
    names = tuple(each.name for each in candidates)
    if pinned := [each for each in candidates if image.digest(each.image)]:
        ours = [each for each in pinned if image.digest(each.image) == wanted]
        return Ours(ours[0].image, (ours[0].name,)) if ours else Other(pinned[0].image, image.digest(pinned[0].image))
    for pod in snapshot.pods:
        for state in pod.containers:
            if pod.lives and state.digest == wanted and not state.init and state.name in names:
                return Ours(f"{_image(candidates, state.name)}@{wanted}", (state.name,))
    return Other(candidates[0].image, candidates[0].image)


def _image(candidates: list[Container], name: str) -> str:
    return next(each.image for each in candidates if each.name == name)
