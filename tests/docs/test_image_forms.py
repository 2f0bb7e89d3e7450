"""The table of images in docs/deploying.md is what the code does with them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from homelab_hooks.config.image_proof import ImageProof, ProofKind
from homelab_hooks.deploy.kubernetes.commit_match import match_commit
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
from homelab_hooks.kubectl.image_ref import extract_digest
from homelab_hooks.kubectl.model import Container, Pod, ReplicaCounts, Revision, Template, Workload
from homelab_hooks.registry.answer import ImageFacts, RegistryAnswer, RegistrySilence
from tests.deploy.conftest import pod
from tests.docs.pages import ROOT
from tests.support.clock import FakeClock
from tests.support.memory_registry import MemoryRegistry, MemoryReleases

OURS, OLDER, NEWER = "dd843c68" + "1" * 32, "0aa11bb2" + "0" * 32, "3c5d7e9f" + "0" * 32
DIGEST = "sha256:" + "1" * 64
UNSET = ImageFacts()


@dataclass(frozen=True)
class ImageForm:
    """A row: the image, what is known about it in words and as data, and what follows."""

    image: str
    known: str
    proof: str
    exit_code: str
    tags: tuple[TagPlace, ...] = ()
    registry: RegistryAnswer = UNSET

    def __str__(self) -> str:
        return f"| `{self.image}` | {self.known} | {self.proof} | {self.exit_code} |"


def at_origin(name: str, sha: str) -> TagPlace:
    return TagPlace(name, "at origin", sha)


WAITS = "124, if no newer image comes"
REVISION = "the revision of its digest in REGISTRY"
FORMS = (
    ImageForm("app:main-dd843c6-17", "", "its tag", "0"),
    ImageForm("app:v1.2-4-gdd843c68", "", "its tag", "0"),
    ImageForm("app:3c5d7e9f", "a newer commit, which contains yours", "its tag", "0"),
    ImageForm("app:0aa11bb2", "an older commit", "", WAITS),
    ImageForm("app:dd843c68-dirty", "built from uncommitted changes", "", WAITS),
    ImageForm("app:v1.4.2", "the git tag `v1.4.2` is your commit", "release v1.4.2", "0",
              (TagPlace("v1.4.2", "here", OURS),)),
    ImageForm("app:1.4.3", "the git tag `v1.4.3` is a newer commit, which contains yours", "release v1.4.3", "0",
              (at_origin("v1.4.3", NEWER),)),
    ImageForm("app:v1.4.1", "the git tag `v1.4.1` is an older commit", "", WAITS, (at_origin("v1.4.1", OLDER),)),
    ImageForm("app:v1.4.2", "the git tag `v1.4.2` is your commit here, and an older one at the remote", "", "10",
              (TagPlace("v1.4.2", "here", OURS), at_origin("v1.4.2", OLDER))),
    ImageForm("app:latest", "the digest that runs has the label of your commit", REVISION, "0",
              registry=ImageFacts(revisions=(OURS,))),
    ImageForm("app:latest", "the digest that runs is that of `app:dd843c68`",
              "its digest, which is that of the tag dd843c68 in REGISTRY", "0",
              registry=ImageFacts(is_commit_tag=True)),
    ImageForm("app:latest", "the digest that runs has the label of an older commit", "", WAITS,
              registry=ImageFacts(revisions=(OLDER,))),
    ImageForm("app:latest", "the registry refuses, or the digest has no label", "", "10",
              registry=RegistrySilence(reason="docker.io refuses")),
    ImageForm("app@sha256:1111...", "the digest has the label of your commit", REVISION, "0",
              registry=ImageFacts(revisions=(OURS,))),
    ImageForm("registry.example.org/dd843c68/app:1.2", "neither a git tag nor a label; only the tag of an image counts",
              "", "10"),
)  # fmt: skip


def contains(*, newer: str, ours: str) -> Containment:
    assert ours == OURS
    return Containment.CONTAINS if NEWER.startswith(newer) else Containment.NOT_CONTAINED


def build_snapshot(image: str) -> Snapshot:
    """A workload whose one pod runs the image."""
    template = Template((Container("app", image),))
    counts = ReplicaCounts(desired=1, total=1, updated=1, available=1)
    running: Pod = pod("web-0")
    return Snapshot(
        workload=Workload(uid="u", generation=2, observed=2, template=template, counts=counts, revision="2"),
        revisions=(Revision(name="web-new", uid="r", number=2, template=template),),
        pods=(running,),
    )


def outcome(match: CommitMatch) -> tuple[str, str]:
    """The evidence and the exit code of a match in the first poll."""
    match match:
        case SameCommit(proof=proof) | NewerCommit(proof=proof):
            return proof.replace("docker.io", "REGISTRY"), "0"
        case OtherCommit():
            return "", WAITS
        case NoCommit():
            return "", "10"
        case EvidencePending():
            return "", "undecided"


@pytest.mark.parametrize("form", FORMS, ids=lambda form: f"{form.image} {form.known}")
def test_the_row_of_an_image_is_what_happens_to_it(form: ImageForm) -> None:
    image = form.image.replace("1111...", "1" * 64)
    releases = MemoryReleases({name: ReleaseTag(form.tags) for tag in form.tags for name in (tag.tag, tag.tag[1:])})
    registry = MemoryRegistry({DIGEST: form.registry})
    source = EvidenceSource(contains, now=FakeClock().now, releases=releases, registry=registry)
    expectation = Expectation(sha=OURS, proof=ImageProof(ProofKind.AUTO))
    seen = build_snapshot(image)
    assert outcome(match_commit(source.complete(seen, expectation), expectation)) == (form.proof, form.exit_code)
    if not extract_digest(image):
        unread = source.complete(replace(seen, pods=(), without_pods=True), expectation)
        assert isinstance(match_commit(unread, expectation), EvidencePending) is bool(registry.asked)


def test_the_page_has_these_rows() -> None:
    text = (ROOT / "docs" / "deploying.md").read_text(encoding="utf-8")
    head = "| image | what is known about it | evidence used | exit code |\n|---|---|---|---|\n"
    table = text.partition(head)[2].partition("\n\n")[0]
    assert table.splitlines() == [str(form) for form in FORMS]
