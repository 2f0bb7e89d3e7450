"""Whose commit a workload names, by each kind of proof."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from homelab_hooks.config.image_proof import ImageProof, ProofKind
from homelab_hooks.deploy.kubernetes.commit_match import find_questions, match_commit
from homelab_hooks.deploy.kubernetes.evidence import CompareCommit, Evidence
from homelab_hooks.deploy.kubernetes.match import EvidencePending, NewerCommit, NoCommit, OtherCommit, SameCommit
from homelab_hooks.deploy.kubernetes.snapshot import Snapshot
from homelab_hooks.deploy.request import Expectation
from homelab_hooks.git.containment import Containment
from homelab_hooks.kubectl.model import Container, Pod, Template

SHA = "9f2c1a7b" + "0" * 32
ASKED = Expectation(sha=SHA, proof=ImageProof(ProofKind.TAG))
REPOSITORY = "registry.example.test/app"


def with_containers(snapshot: Snapshot, *images: str, **more: dict[str, str]) -> Snapshot:
    containers = tuple(Container(f"c{index}", image) for index, image in enumerate(images))
    return replace(snapshot, workload=replace(snapshot.workload, template=Template(containers, **more)))


def test_one_container_that_names_the_commit_is_enough(snapshot: Callable[..., Snapshot]) -> None:
    """Sidecars have tags of their own, an older image beside ours too."""
    seen = with_containers(snapshot(), "proxy:1.29", f"{REPOSITORY}:0aa11bb2", f"{REPOSITORY}:9f2c1a7b")
    assert match_commit(seen, ASKED) == SameCommit(f"{REPOSITORY}:9f2c1a7b", ("c2",), "its tag")
    assert find_questions(seen, ASKED) == ()


def test_the_named_container_alone_decides(snapshot: Callable[..., Snapshot]) -> None:
    seen = with_containers(snapshot(), f"{REPOSITORY}:9f2c1a7b", f"{REPOSITORY}:0aa11bb2")
    assert isinstance(match_commit(seen, replace(ASKED, container="c1")), OtherCommit)
    assert isinstance(match_commit(seen, replace(ASKED, container="c0")), SameCommit)
    assert match_commit(seen, replace(ASKED, container="no")) == NoCommit("", "it has no container no")


def test_containers_without_a_commit_in_their_tag_prove_nothing(snapshot: Callable[..., Snapshot]) -> None:
    seen = with_containers(snapshot(), f"{REPOSITORY}:latest", f"{REPOSITORY}@sha256:{'9f2c1a7b' * 8}")
    assert match_commit(seen, ASKED) == NoCommit(
        f"{REPOSITORY}:latest", f"the tag of {REPOSITORY}:latest names no commit"
    )


@pytest.mark.parametrize(
    ("known", "unknown"), [(Containment.NOT_CONTAINED, False), (Containment.UNKNOWN, True), (None, True)]
)
def test_an_image_that_does_not_contain_the_commit_is_another(
    snapshot: Callable[..., Snapshot], known: Containment | None, *, unknown: bool
) -> None:
    """What git does not know may be newer, which is said."""
    seen = with_containers(snapshot(), f"{REPOSITORY}:0aa11bb2")
    seen = replace(seen, evidence=Evidence(containment={"0aa11bb2": known} if known else {}))
    assert match_commit(seen, ASKED) == OtherCommit(f"{REPOSITORY}:0aa11bb2", "0aa11bb2", unknown=unknown)


def test_a_newer_image_counts_unless_exact(snapshot: Callable[..., Snapshot]) -> None:
    seen = with_containers(snapshot(), f"{REPOSITORY}:main-3c5d7e9f")
    assert find_questions(seen, ASKED) == (CompareCommit("3c5d7e9f"),)
    seen = replace(seen, evidence=Evidence(containment={"3c5d7e9f": Containment.CONTAINS}))
    assert match_commit(seen, ASKED) == NewerCommit(f"{REPOSITORY}:main-3c5d7e9f", ("c0",), "3c5d7e9f", "its tag")
    exact = replace(ASKED, exact=True)
    assert isinstance(match_commit(seen, exact), OtherCommit)
    assert find_questions(seen, exact) == ()


@pytest.mark.parametrize("tag", ["9f2c1a7b-dirty", "3c5d7e9f-dirty"])
def test_a_dirty_image_is_another_whatever_it_names(snapshot: Callable[..., Snapshot], tag: str) -> None:
    seen = with_containers(snapshot(), f"{REPOSITORY}:{tag}")
    seen = replace(seen, evidence=Evidence(containment={"3c5d7e9f": Containment.CONTAINS}))
    assert isinstance(match_commit(seen, ASKED), OtherCommit)
    assert find_questions(seen, ASKED) == ()


@pytest.mark.parametrize("where", ["template", "workload"])
@pytest.mark.parametrize(
    "proof",
    [ImageProof(ProofKind.ANNOTATION, "example.test/commit"), ImageProof(ProofKind.LABEL, "example.test/commit")],
)
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("9f2c1a7b", SameCommit),
        ("v1-g9f2c1a7b", SameCommit),
        ("0aa11bb2", OtherCommit),
        ("v1", NoCommit),
        ("", NoCommit),
    ],
)
def test_annotations_and_labels_are_looked_up_on_the_template_then_on_the_workload(
    *, snapshot: Callable[..., Snapshot], proof: ImageProof, where: str, value: str, expected: type
) -> None:
    words = {"example.test/commit": value} if value else {}
    field = "annotations" if proof.kind is ProofKind.ANNOTATION else "labels"
    seen = with_containers(snapshot(), f"{REPOSITORY}:latest")
    if where == "template":
        template = replace(seen.workload.template, **{field: words})  # type: ignore[arg-type]  # one of two fields
        seen = replace(seen, workload=replace(seen.workload, template=template))
    else:
        seen = replace(seen, workload=replace(seen.workload, **{field: words}))  # type: ignore[arg-type]  # the same
    assert isinstance(match_commit(seen, replace(ASKED, proof=proof)), expected)


def test_a_variable_of_a_main_container_proves(snapshot: Callable[..., Snapshot]) -> None:
    seen = snapshot()
    for value, expected in (("9f2c1a7b", SameCommit), ("3c5d7e9f", NewerCommit), ("none", NoCommit)):
        template = Template((Container("app", f"{REPOSITORY}:latest", {"GIT_SHA": value}),))
        shown = replace(seen, workload=replace(seen.workload, template=template))
        shown = replace(shown, evidence=Evidence(containment={"3c5d7e9f": Containment.CONTAINS}))
        assert isinstance(match_commit(shown, replace(ASKED, proof=ImageProof(ProofKind.ENV, "GIT_SHA"))), expected)


def test_a_digest_in_the_template_decides(snapshot: Callable[..., Snapshot]) -> None:
    digest, other = "sha256:" + "ab" * 32, "sha256:" + "cd" * 32
    asked = replace(ASKED, proof=ImageProof(ProofKind.DIGEST, digest))
    assert isinstance(match_commit(with_containers(snapshot(), f"{REPOSITORY}@{digest}"), asked), SameCommit)
    assert isinstance(match_commit(with_containers(snapshot(), f"{REPOSITORY}:x@{other}"), asked), OtherCommit)


def test_without_a_digest_in_the_template_the_pods_tell(
    snapshot: Callable[..., Snapshot], a_pod: Callable[..., Pod]
) -> None:
    """A tag that was pushed again makes pods of another digest."""
    asked = replace(ASKED, proof=ImageProof(ProofKind.DIGEST, "sha256:" + "1" * 64))
    assert isinstance(match_commit(snapshot("latest"), asked), SameCommit)
    going = (a_pod("web-new-0", terminating=True),)
    assert isinstance(match_commit(snapshot("latest", pods=going), asked), EvidencePending)
    assert isinstance(
        match_commit(snapshot("latest"), replace(asked, proof=ImageProof(ProofKind.DIGEST, "sha256:" + "2" * 64))),
        OtherCommit,
    )


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("20241124", OtherCommit),
        ("20241124-9f2c1a7b", SameCommit),
        ("20241124-0aa11bb2", OtherCommit),
        ("2024-11-24", NoCommit),
        ("9F2C1A7B", NoCommit),
        ("v1.2-4-g9f2c1a7b", SameCommit),
        ("9f2c1a", NoCommit),
        (SHA, SameCommit),
        (SHA + "a", OtherCommit),
    ],
)
def test_a_date_that_looks_hexadecimal_is_a_commit_that_is_unknown(
    snapshot: Callable[..., Snapshot], tag: str, expected: type
) -> None:
    """It can never be taken for ours; beside our digits it does no harm."""
    assert isinstance(match_commit(with_containers(snapshot(), f"{REPOSITORY}:{tag}"), ASKED), expected)
