"""Whose commit a workload names, by each kind of proof."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from homelab_hooks.deploy.question import Question, Snapshot
from homelab_hooks.deploy.standing import Nameless, Newer, Other, Ours, standing, strangers
from homelab_hooks.history import Containment
from homelab_hooks.image import ByAnnotation, ByDigest, ByEnv, ByLabel, ByTag, Proof
from homelab_hooks.kubectl.facts import Container, Pod, Template

SHA = "9f2c1a7b" + "0" * 32
ASKED = Question(sha=SHA, proof=ByTag())
REPOSITORY = "registry.example.test/app"


def with_containers(snapshot: Snapshot, *images: str, **more: dict[str, str]) -> Snapshot:
    containers = tuple(Container(f"c{index}", image) for index, image in enumerate(images))
    return replace(snapshot, workload=replace(snapshot.workload, template=Template(containers, **more)))


def test_one_container_that_names_the_commit_is_enough(snapshot: Callable[..., Snapshot]) -> None:
    """Sidecars have tags of their own, an older image beside ours too."""
    seen = with_containers(snapshot(), "proxy:1.29", f"{REPOSITORY}:0aa11bb2", f"{REPOSITORY}:9f2c1a7b")
    assert standing(seen, ASKED) == Ours(f"{REPOSITORY}:9f2c1a7b", ("c2",))
    assert strangers(seen.workload, ASKED) == ()


def test_the_named_container_alone_decides(snapshot: Callable[..., Snapshot]) -> None:
    seen = with_containers(snapshot(), f"{REPOSITORY}:9f2c1a7b", f"{REPOSITORY}:0aa11bb2")
    assert isinstance(standing(seen, replace(ASKED, container="c1")), Other)
    assert isinstance(standing(seen, replace(ASKED, container="c0")), Ours)
    assert standing(seen, replace(ASKED, container="no")) == Nameless("", "it has no container no")


def test_containers_without_a_commit_in_their_tag_prove_nothing(snapshot: Callable[..., Snapshot]) -> None:
    seen = with_containers(snapshot(), f"{REPOSITORY}:latest", f"{REPOSITORY}@sha256:{'9f2c1a7b' * 8}")
    assert standing(seen, ASKED) == Nameless(f"{REPOSITORY}:latest", f"the tag of {REPOSITORY}:latest names no commit")


@pytest.mark.parametrize(("known", "unknown"), [(Containment.APART, False), (Containment.UNKNOWN, True), (None, True)])
def test_an_image_that_does_not_contain_the_commit_is_another(
    snapshot: Callable[..., Snapshot], known: Containment | None, *, unknown: bool
) -> None:
    """What git does not know may be newer, which is said."""
    seen = with_containers(snapshot(), f"{REPOSITORY}:0aa11bb2")
    seen = replace(seen, kin={"0aa11bb2": known} if known else {})
    assert standing(seen, ASKED) == Other(f"{REPOSITORY}:0aa11bb2", "0aa11bb2", unknown=unknown)


def test_a_newer_image_counts_unless_exact(snapshot: Callable[..., Snapshot]) -> None:
    seen = with_containers(snapshot(), f"{REPOSITORY}:main-3c5d7e9f")
    assert strangers(seen.workload, ASKED) == ("3c5d7e9f",)
    seen = replace(seen, kin={"3c5d7e9f": Containment.CONTAINS})
    assert standing(seen, ASKED) == Newer(f"{REPOSITORY}:main-3c5d7e9f", ("c0",), "3c5d7e9f")
    exact = replace(ASKED, exact=True)
    assert isinstance(standing(seen, exact), Other)
    assert strangers(seen.workload, exact) == ()


@pytest.mark.parametrize("tag", ["9f2c1a7b-dirty", "3c5d7e9f-dirty"])
def test_a_dirty_image_is_another_whatever_it_names(snapshot: Callable[..., Snapshot], tag: str) -> None:
    seen = with_containers(snapshot(), f"{REPOSITORY}:{tag}")
    seen = replace(seen, kin={"3c5d7e9f": Containment.CONTAINS})
    assert isinstance(standing(seen, ASKED), Other)
    assert strangers(seen.workload, ASKED) == ()


@pytest.mark.parametrize("where", ["template", "workload"])
@pytest.mark.parametrize("proof", [ByAnnotation("example.test/commit"), ByLabel("example.test/commit")])
@pytest.mark.parametrize(
    ("value", "expected"),
    [("9f2c1a7b", Ours), ("v1-g9f2c1a7b", Ours), ("0aa11bb2", Other), ("v1", Nameless), ("", Nameless)],
)
def test_annotations_and_labels_are_looked_up_on_the_template_then_on_the_workload(
    *, snapshot: Callable[..., Snapshot], proof: Proof, where: str, value: str, expected: type
) -> None:
    words = {"example.test/commit": value} if value else {}
    field = "annotations" if isinstance(proof, ByAnnotation) else "labels"
    seen = with_containers(snapshot(), f"{REPOSITORY}:latest")
    if where == "template":
        template = replace(seen.workload.template, **{field: words})  # type: ignore[arg-type]  # one of two fields
        seen = replace(seen, workload=replace(seen.workload, template=template))
    else:
        seen = replace(seen, workload=replace(seen.workload, **{field: words}))  # type: ignore[arg-type]  # the same
    assert isinstance(standing(seen, replace(ASKED, proof=proof)), expected)


def test_a_variable_of_a_main_container_proves(snapshot: Callable[..., Snapshot]) -> None:
    seen = snapshot()
    for value, expected in (("9f2c1a7b", Ours), ("3c5d7e9f", Newer), ("none", Nameless)):
        template = Template((Container("app", f"{REPOSITORY}:latest", {"GIT_SHA": value}),))
        shown = replace(seen, workload=replace(seen.workload, template=template))
        shown = replace(shown, kin={"3c5d7e9f": Containment.CONTAINS})
        assert isinstance(standing(shown, replace(ASKED, proof=ByEnv("GIT_SHA"))), expected)


def test_a_digest_in_the_template_decides(snapshot: Callable[..., Snapshot]) -> None:
    digest, other = "sha256:" + "ab" * 32, "sha256:" + "cd" * 32
    asked = replace(ASKED, proof=ByDigest(digest))
    assert isinstance(standing(with_containers(snapshot(), f"{REPOSITORY}@{digest}"), asked), Ours)
    assert isinstance(standing(with_containers(snapshot(), f"{REPOSITORY}:x@{other}"), asked), Other)


def test_without_a_digest_in_the_template_the_pods_tell(
    snapshot: Callable[..., Snapshot], a_pod: Callable[..., Pod]
) -> None:
    """A tag that was pushed again makes pods of another digest."""
    asked = replace(ASKED, proof=ByDigest("sha256:" + "1" * 64))
    assert isinstance(standing(snapshot("latest"), asked), Ours)
    going = (a_pod("web-new-0", terminating=True),)
    assert isinstance(standing(snapshot("latest", pods=going), asked), Other)
    assert isinstance(standing(snapshot("latest"), replace(asked, proof=ByDigest("sha256:" + "2" * 64))), Other)


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("20241124", Other), ("20241124-9f2c1a7b", Ours), ("20241124-0aa11bb2", Other), ("2024-11-24", Nameless),
        ("9F2C1A7B", Nameless), ("v1.2-4-g9f2c1a7b", Ours), ("9f2c1a", Nameless), (SHA, Ours), (SHA + "a", Other),
    ],
)  # fmt: skip
def test_a_date_that_looks_hexadecimal_is_a_commit_that_nobody_knows(
    snapshot: Callable[..., Snapshot], tag: str, expected: type
) -> None:
    """It can never be taken for ours; beside our digits it does no harm."""
    assert isinstance(standing(with_containers(snapshot(), f"{REPOSITORY}:{tag}"), ASKED), expected)
