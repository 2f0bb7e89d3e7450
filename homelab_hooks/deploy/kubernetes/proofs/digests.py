"""The proofs by digest: what the pods run, compared with a digest or with what the registry has about it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from homelab_hooks.deploy.kubernetes.match import (
    CommitMatch,
    EvidencePending,
    NewerCommit,
    NoCommit,
    OtherCommit,
    SameCommit,
)
from homelab_hooks.deploy.kubernetes.proofs.case import ProofCase, choose_match
from homelab_hooks.deploy.kubernetes.revisions import find_current_revision, split_pods
from homelab_hooks.deploy.kubernetes.snapshot import Snapshot
from homelab_hooks.git.containment import Containment
from homelab_hooks.kubectl import image_ref
from homelab_hooks.kubectl.model import Container, ContainerState, Pod
from homelab_hooks.registry.answer import ImageFacts, RegistrySilence, RunningImage
from homelab_hooks.registry.reference import parse_image_reference
from homelab_hooks.text.commit_name import find_commit_tokens, has_commit_token, is_dirty_build
from homelab_hooks.text.humanize import IMAGE_SHA_DIGITS, short_sha
from homelab_hooks.text.sanitize import truncate_text

_MAX_SHOWN_CHARS = 60
_LABEL_HINT = (
    "build the image with the label org.opencontainers.image.revision=SHA, push it as :SHA too, or choose another "
    "proof with --image-proof"
)


@dataclass(frozen=True, slots=True)
class RunningDigests:
    """The digests of one container in the pods of the current revision."""

    pods: Mapping[str, tuple[str, ...]]
    """by digest, the names of the pods; none if the digest is in the template"""
    without: tuple[str, ...] = ()
    """the pods that have no digest yet"""


def match_registry(case: ProofCase) -> CommitMatch:
    """Return how the images that run match, by their labels, annotations, and tags in the registry.

    Only digests are asked, never the tag: it may have been moved since the pods pulled it.
    """

    def match(container: Container, digest: str) -> CommitMatch:
        return _match_described(case, container, RunningImage(reference=container.image, digest=digest))

    return choose_match(
        _match_container(case, each, lambda state: state.manifest_digest, match) for each in case.containers
    )


def match_digest(case: ProofCase) -> CommitMatch:
    """Return whether the pods run the expected digest."""
    wanted = case.expectation.proof.value

    def match(container: Container, digest: str) -> CommitMatch:
        image = _name_image(container, digest)
        return SameCommit(image, (container.name,), "its digest") if digest == wanted else OtherCommit(image, digest)

    return choose_match(_match_container(case, each, lambda state: state.digest, match) for each in case.containers)


def _match_container(
    case: ProofCase,
    container: Container,
    read_digest: Callable[[ContainerState], str],
    match_one: Callable[[Container, str], CommitMatch],
) -> CommitMatch:
    digests = _read_digests(case.snapshot, container, read_digest)
    if not isinstance(digests, RunningDigests):
        return digests
    matches = {digest: match_one(container, digest) for digest in digests.pods}
    chosen = choose_match(matches.values()) if matches else None
    if chosen is None or (digests.without and isinstance(chosen, NoCommit)):
        names = ", ".join(digests.without) or "its pods"
        return EvidencePending(container.image, f"{container.image}: waiting for the image digest of {names}")
    if not isinstance(chosen, SameCommit | NewerCommit):
        return chosen
    others = [
        f"{_name_pods(digests.pods[digest])} {_describe_other(match)}"
        for digest, match in matches.items()
        if not isinstance(match, SameCommit | NewerCommit)
    ]
    others += [f"{_name_pods(digests.without)} no image digest yet"] if digests.without else []
    return replace(chosen, mixed="; ".join(others))


def _name_pods(names: tuple[str, ...]) -> str:
    return f"pod {names[0]} has" if len(names) == 1 else f"pods {', '.join(names)} have"


def _describe_other(match: CommitMatch) -> str:
    shown = f"another image, {image_ref.shorten_digest(match.image)}"
    return f"{shown} ({match.name})" if isinstance(match, OtherCommit) else shown


def _name_digest(image: str) -> str:
    """Return the image's digest with few of its digits."""
    return f"image {image_ref.shorten_digest(image).rpartition('@')[2]}"


def _name_image(container: Container, digest: str) -> str:
    """Return what identifies the running image: the same tag with another digest is another image."""
    return container.image if image_ref.extract_digest(container.image) else f"{container.image}@{digest}"


def _name_registry(container: Container) -> str:
    """Return the registry's name as its client uses it; a reference that is not valid is explained by its answer."""
    try:
        return parse_image_reference(container.image).host
    except ValueError:
        return "its registry"


def _read_digests(
    snapshot: Snapshot, container: Container, read_digest: Callable[[ContainerState], str]
) -> RunningDigests | EvidencePending | NoCommit:
    """Return the digests of a container: that of the template, else those of the current revision's active pods."""
    image = container.image
    if pinned := image_ref.extract_digest(image):
        return RunningDigests({pinned: ()})
    if snapshot.is_template_only:
        reason = f"a CronJob has no pods whose digest could be compared, and {image} names none"
        hint = "pin the digest in the template, or choose another proof with --image-proof"
        return NoCommit(image, reason, hint, final=True)
    if snapshot.without_pods:
        return EvidencePending(image, f"{image}: waiting for its pods", needs_pods=True)
    workload = snapshot.workload
    if workload.observed != workload.generation or find_current_revision(snapshot, snapshot.kind) is None:
        return EvidencePending(image, "waiting for the controller to observe the new spec")
    new, _ = split_pods(snapshot, snapshot.kind)
    if not new and not workload.counts.desired:
        hint = "scale the workload up, then run the same command again"
        return NoCommit(image, f"no pod runs {image}, so that nothing shows its digest", hint, final=True)
    return _read_pods(new, container, read_digest)


def _read_pods(
    pods: Iterable[Pod], container: Container, read_digest: Callable[[ContainerState], str]
) -> RunningDigests | NoCommit:
    """Return the digests of a main container in these pods; an init container of the same name does not count."""
    found: dict[str, tuple[str, ...]] = {}
    for pod in pods:
        states = [each for each in pod.containers if each.name == container.name and not each.init]
        if local := next((each.digest for each in states if each.digest and not read_digest(each)), ""):
            reason = f"pod {pod.name} runs an image that was not pulled from a registry (image ID {local})"
            return NoCommit(container.image, reason, "push the image, and let the node pull it")
        digest = next((read_digest(each) for each in states), "")
        found[digest] = (*found.get(digest, ()), pod.name)
    return RunningDigests(found, found.pop("", ()))


def _match_described(case: ProofCase, container: Container, image: RunningImage) -> CommitMatch:
    """Return how one digest matches, by what the registry has about it."""
    shown, answer = _name_image(container, image.digest), case.facts.describe_image(image)
    match answer:
        case None:
            return EvidencePending(shown, f"asking {_name_registry(container)} about {image_ref.shorten_digest(shown)}")
        case RegistrySilence(reason=reason, hint=hint, passing=True):
            return EvidencePending(shown, reason, is_outage=True, unproven=reason, hint=hint)
        case RegistrySilence(reason=reason, hint=hint):
            return NoCommit(shown, reason, hint, final=True)
        case ImageFacts():
            return _match_facts(case, container, shown, answer)


def _match_facts(case: ProofCase, container: Container, image: str, facts: ImageFacts) -> CommitMatch:
    registry, names = _name_registry(container), (container.name,)
    if facts.is_commit_tag:
        tag = facts.commit_tag or short_sha(case.sha, IMAGE_SHA_DIGITS)
        return SameCommit(image, names, f"its digest, which is that of the tag {tag} in {registry}")
    proof = f"the revision of its digest in {registry}"
    clean = [text for text in facts.revisions if find_commit_tokens(text) and not is_dirty_build(text)]
    if not clean:
        return _no_revision(f"{_name_digest(image)} in {registry}", image, facts)
    found = {text: _compare_revision(case, text) for text in clean}
    proven = [text for text, contained in found.items() if contained is Containment.CONTAINS]
    # A base image leaves its own label behind; its commit is in another repository, so that git does not know it.
    rivals = {contained for contained in found.values() if contained is not Containment.ABSENT} - {Containment.CONTAINS}
    if proven and not rivals:
        if any(has_commit_token(text, case.sha) for text in proven):
            return SameCommit(image, names, proof)
        return NewerCommit(image, names, _name_revision(proven[0]), proof)
    if proven and Containment.NOT_CONTAINED in rivals:
        both = " and ".join(_name_revision(text) for text in clean)
        return NoCommit(
            image,
            f"{registry} has two revisions for {image_ref.shorten_digest(image)}: {both}",
            _LABEL_HINT,
            final=True,
        )
    is_unknown = Containment.NOT_CONTAINED not in rivals and not case.expectation.exact
    return OtherCommit(image, _name_revision(clean[0]), unknown=is_unknown)


def _no_revision(problem: str, image: str, facts: ImageFacts) -> NoCommit:
    first = truncate_text(facts.revisions[0], _MAX_SHOWN_CHARS) if facts.revisions else ""
    value = f"is {first!r}, which names no commit" if first else "is not set"
    reason = facts.note or f"its label org.opencontainers.image.revision {value}"
    return NoCommit(image, f"{problem}: {reason}", _LABEL_HINT)


def _name_revision(text: str) -> str:
    return short_sha(find_commit_tokens(text)[0], IMAGE_SHA_DIGITS)


def _compare_revision(case: ProofCase, text: str) -> Containment:
    """Return whether what a revision names contains the expected commit; the first token that is known decides."""
    if has_commit_token(text, case.sha):
        return Containment.CONTAINS
    found = [case.compare(name) for name in find_commit_tokens(text)]
    return next((each for each in found if each.is_known), found[0])
