"""The default proof: the first of tag, release, and registry that names a commit; nothing else is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from homelab_hooks.config.image_proof import ImageProof, ProofKind
from homelab_hooks.deploy.kubernetes.commit_match import match_commit, proves_commit
from homelab_hooks.deploy.kubernetes.evidence import Evidence
from homelab_hooks.deploy.kubernetes.evidence_source import EvidenceSource
from homelab_hooks.deploy.kubernetes.match import (
    CommitMatch,
    EvidencePending,
    NewerCommit,
    NoCommit,
    OtherCommit,
    SameCommit,
)
from homelab_hooks.deploy.kubernetes.snapshot import Snapshot
from homelab_hooks.deploy.request import Expectation
from homelab_hooks.git.containment import Containment
from homelab_hooks.git.release_tags import ReleaseTag, TagPlace
from homelab_hooks.kubectl.model import Container, ReplicaCounts, Revision, Template, Workload
from homelab_hooks.registry.answer import ImageFacts, RegistryAnswer, RegistrySilence, RunningImage
from tests.deploy.conftest import SHA
from tests.deploy.kubernetes.test_registry_proof import ONE, TWO, running
from tests.support.clock import FakeClock
from tests.support.memory_registry import MemoryRegistry, MemoryReleases

OLDER, NEWER, FOREIGN = "0aa11bb2" + "0" * 32, "3c5d7e9f" + "0" * 32, "deadbeef" * 5
AUTO = Expectation(sha=SHA, proof=ImageProof(ProofKind.AUTO))
DATE, ABSENT = "20241124", "0ff1ce00"


def contains(*, newer: str, ours: str) -> Containment:
    """The repository: one commit before ours, one after it, a date that is none."""
    assert ours == SHA
    if newer in {DATE, ABSENT}:
        return Containment.ABSENT
    known = {OLDER: Containment.NOT_CONTAINED, NEWER: Containment.CONTAINS}
    return next((found for sha, found in known.items() if sha.startswith(newer)), Containment.UNKNOWN)


class Asked:
    """A match, and what was asked for it."""

    def __init__(
        self,
        snapshot: Snapshot,
        *,
        tags: Mapping[str, str] | None = None,
        images: Mapping[str, RegistryAnswer] | None = None,
        expectation: Expectation = AUTO,
    ) -> None:
        places = {name: ReleaseTag((TagPlace(name, "at origin", sha),)) for name, sha in (tags or {}).items()}
        self.releases, self.registry = MemoryReleases(places), MemoryRegistry(images or {})
        source = EvidenceSource(contains, now=FakeClock().now, releases=self.releases, registry=self.registry)
        self.match: CommitMatch = match_commit(source.complete(snapshot, expectation), expectation)


def with_images(snapshot: Snapshot, *images: str) -> Snapshot:
    """The workload with these images in its containers `app`, `c1`, `c2`."""
    containers = tuple(Container(f"c{index}" if index else "app", image) for index, image in enumerate(images))
    template = Template(containers)
    revisions = (Revision(name="web-new", uid="r2", number=2, template=template),)
    return replace(snapshot, workload=replace(snapshot.workload, template=template), revisions=revisions)


@pytest.mark.parametrize(
    ("tag", "expected"),
    [("9f2c1a7b", SameCommit), ("3c5d7e9f", NewerCommit), ("0aa11bb2", OtherCommit)],
)
def test_a_tag_that_names_a_commit_is_enough(snapshot: Callable[..., Snapshot], tag: str, expected: type) -> None:
    """Neither the remote nor a registry is asked, also not about the sidecar."""
    seen = with_images(snapshot(), f"registry.example.test/app:{tag}", "proxy:v1.29.1")
    asked = Asked(seen, tags={"v1.29.1": SHA}, images={ONE: ImageFacts(revisions=(SHA,))})
    assert isinstance(asked.match, expected)
    assert (asked.releases.asked, asked.registry.asked) == ([], [])


def test_a_tag_beside_a_digest_is_read_first_and_the_digest_names_no_commit(snapshot: Callable[..., Snapshot]) -> None:
    """Whatever the registry has about the digest; `--image-proof registry` compares what runs."""
    seen = with_images(replace(snapshot(), pods=(running("web-0", ONE),)), f"registry.example.test/app:{SHA[:8]}@{ONE}")
    older = {ONE: ImageFacts(revisions=(OLDER,))}
    asked = Asked(seen, images=older)
    assert isinstance(asked.match, SameCommit)
    assert asked.registry.asked == []
    registry = replace(AUTO, proof=ImageProof(ProofKind.REGISTRY))
    assert isinstance(Asked(seen, images=older, expectation=registry).match, OtherCommit)
    other = with_images(snapshot(), f"registry.example.test/app:{OLDER[:8]}@sha256:{SHA}{'0' * 24}")
    assert isinstance(Asked(other).match, OtherCommit)


@pytest.mark.parametrize("foreign", [ABSENT, FOREIGN[:8]], ids=["absent", "unknown"])
@pytest.mark.parametrize("exact", [False, True])
def test_the_commit_of_a_sidecars_repository_does_not_hide_the_image(
    *, snapshot: Callable[..., Snapshot], foreign: str, exact: bool
) -> None:
    """Its tag names a commit, but not one of this repository: the other container may prove by another evidence."""
    expectation = replace(AUTO, exact=exact)
    sidecar = f"proxy:sha-{foreign}"
    pods = (running("web-0", ONE),)
    for images in (("app:v1.4.2", sidecar), (sidecar, "app:v1.4.2")):
        asked = Asked(with_images(snapshot(), *images), tags={"v1.4.2": SHA}, expectation=expectation)
        name = "app" if images[1] == sidecar else "c1"
        assert asked.match == SameCommit("app:v1.4.2", (name,), "release v1.4.2")
    latest = with_images(replace(snapshot(), pods=pods), "registry.example.test/app:latest", sidecar)
    asked = Asked(latest, images={ONE: ImageFacts(revisions=(SHA,))}, expectation=expectation)
    assert isinstance(asked.match, SameCommit)
    assert [image.digest for image in asked.registry.asked] == [ONE]
    older = Asked(with_images(snapshot(), "app:v1.4.2", sidecar), tags={"v1.4.2": OLDER}, expectation=expectation)
    assert isinstance(older.match, OtherCommit)


def test_a_release_comes_before_the_registry(snapshot: Callable[..., Snapshot]) -> None:
    asked = Asked(snapshot("1.4.2"), tags={"1.4.2": OLDER}, images={ONE: ImageFacts(revisions=(SHA,))})
    assert asked.match == OtherCommit("registry.example.test/app:1.4.2", "release 1.4.2")
    assert asked.registry.asked == []


def test_the_registry_is_asked_where_neither_names_a_commit(snapshot: Callable[..., Snapshot]) -> None:
    for tag in ("latest", "1.4.2", DATE):
        seen = snapshot(tag, pods=(running("web-0", ONE), running("web-1", ONE)))
        asked = Asked(seen, images={ONE: ImageFacts(revisions=(SHA,))})
        assert isinstance(asked.match, SameCommit)
        assert [image.digest for image in asked.registry.asked] == [ONE]


def test_a_date_that_nothing_explains_is_waited_on(snapshot: Callable[..., Snapshot]) -> None:
    """It looks like a commit, and may be one that is not pushed yet."""
    seen = snapshot(DATE, pods=(running("web-0", ONE),))
    asked = Asked(seen, images={ONE: ImageFacts()})
    assert isinstance(asked.match, OtherCommit)
    assert asked.match.absent


def test_every_reason_is_given_where_nothing_names_a_commit(snapshot: Callable[..., Snapshot]) -> None:
    seen = snapshot("1.4.2", pods=(running("web-0", ONE),))
    found = Asked(seen, images={ONE: RegistrySilence(reason="registry.example.test refuses", hint="log in")}).match
    assert isinstance(found, NoCommit)
    assert (found.final, found.hint) == (True, "log in")
    for reason in ("app:1.4.2 names no commit", "there is no git tag 1.4.2", "registry.example.test refuses"):
        assert reason in found.reason


def test_a_sidecars_registry_does_not_hide_the_image(snapshot: Callable[..., Snapshot]) -> None:
    """It is asked too, since any container may prove; its silence says nothing about the other one."""
    proxy = f"proxy@{TWO}"
    seen = with_images(replace(snapshot(), pods=(running("web-0", ONE),)), "registry.example.test/app:latest", proxy)
    busy = RegistrySilence(reason="docker.io limits the rate", passing=True)
    for facts, expected in ((OLDER, OtherCommit), (SHA, SameCommit)):
        assert isinstance(Asked(seen, images={ONE: ImageFacts(revisions=(facts,)), TWO: busy}).match, expected)
    named = replace(AUTO, container="c1")
    assert isinstance(Asked(seen, images={TWO: busy}, expectation=named).match, EvidencePending)


WRONG_TEXTS = (
    OLDER, OLDER[:8], FOREIGN, "main", "latest", f"{SHA}-dirty", SHA.upper(), SHA[:6], f"x{SHA[:8]}", f"{SHA}0", "",
    "v1.4.2", DATE,
)  # fmt: skip
WRONG_SHAS = (OLDER, FOREIGN)
ANSWERS: tuple[RegistryAnswer, ...] = (
    RegistrySilence(reason="refused"),
    RegistrySilence(reason="busy", passing=True),
)
facts = st.lists(st.sampled_from(WRONG_TEXTS), max_size=3).map(lambda texts: ImageFacts(revisions=tuple(texts)))
answers = st.one_of(st.sampled_from(ANSWERS), facts)


@st.composite
def wrong_worlds(draw: st.DrawFn) -> Snapshot:
    """Everything names other commits; ours is named where it does not count."""
    tag = draw(st.sampled_from([text for text in WRONG_TEXTS if text]))
    image = draw(st.sampled_from([f"{SHA}/app", "registry.example.test/app"])) + f":{tag}"
    pinned = draw(st.booleans())
    template = Template(
        (Container("app", f"{image}@{TWO}" if pinned else image, {"SHA": draw(st.sampled_from(WRONG_TEXTS))}),),
        labels={"commit": draw(st.sampled_from(WRONG_TEXTS))},
    )
    pods = [running("web-0", TWO, init=ONE), running("web-1", ONE, terminating=True)]
    pods += [running("web-2", ONE, revision="web-old")] if draw(st.booleans()) else []
    counts = ReplicaCounts(desired=1, total=1, updated=1, available=1)
    reference = template.containers[0].image
    silent = draw(st.sampled_from(["", "origin cannot be queried"]))
    places = [TagPlace("v1.4.2", "here", draw(st.sampled_from([*WRONG_SHAS, SHA] if silent else WRONG_SHAS)))]
    # A tag that was moved: one of its commits is ours, another is not.
    places += [TagPlace("v1.4.2", "at origin", SHA)] if draw(st.booleans()) else []
    return Snapshot(
        workload=Workload(uid="u", generation=2, observed=2, template=template, counts=counts, revision="2"),
        revisions=(Revision(name="web-new", uid="r2", number=2, template=template),),
        pods=tuple(pods),
        evidence=Evidence(
            containment={
                OLDER: Containment.NOT_CONTAINED, OLDER[:8]: Containment.NOT_CONTAINED, DATE: Containment.ABSENT,
                FOREIGN: draw(st.sampled_from([Containment.ABSENT, Containment.UNKNOWN])),
                f"{SHA}0": Containment.UNKNOWN,
            },
            releases={"v1.4.2": ReleaseTag(tuple(places), silent)},
            images={
                RunningImage(reference=reference, digest=TWO): draw(answers),
                RunningImage(reference=reference, digest=ONE): ImageFacts(revisions=(SHA,), is_commit_tag=True),
            },
        ),
    )  # fmt: skip


@given(
    seen=wrong_worlds(),
    proof=st.sampled_from([
        ImageProof(ProofKind.AUTO), ImageProof(ProofKind.TAG), ImageProof(ProofKind.RELEASE),
        ImageProof(ProofKind.REGISTRY), ImageProof(ProofKind.LABEL, "commit"), ImageProof(ProofKind.ENV, "SHA"),
        ImageProof(ProofKind.DIGEST, ONE),
    ]),
    exact=st.booleans(),
)  # fmt: skip
def test_no_combination_of_names_of_other_commits_proves(*, seen: Snapshot, proof: ImageProof, exact: bool) -> None:
    assert not proves_commit(seen, Expectation(sha=SHA, proof=proof, exact=exact))
