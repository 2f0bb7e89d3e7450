"""A control or invisible character that is removed from a text does not make it name a commit, or a clean build."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from homelab_hooks.config.image_proof import ImageProof, ProofKind
from homelab_hooks.deploy.kubernetes.commit_match import proves_commit
from homelab_hooks.deploy.kubernetes.snapshot import Snapshot
from homelab_hooks.deploy.request import Expectation
from homelab_hooks.follow.live_answer import read_answer
from homelab_hooks.git.containment import Containment
from homelab_hooks.kubectl.argo_cd import parse_application
from homelab_hooks.kubectl.flux import parse_kustomization
from homelab_hooks.kubectl.model import WorkloadKind
from homelab_hooks.kubectl.parse import parse_workload
from homelab_hooks.net.live import Shown
from homelab_hooks.net.message import HttpResponse
from homelab_hooks.simulators.kubernetes.objects import SampleApp, make_deployment
from homelab_hooks.text.json_fields import Json
from tests.deploy.conftest import SHA

JOINED = [f"{SHA[:4]}{removed}{SHA[4:12]}" for removed in ("\x00", "\u200b", "\x1b[2J", "\u202e", "\x7f", "\ufeff")]
OTHERWISE = [f"{SHA[:8]}{removed}0aa" for removed in ("\u200b", "\x07")] + [f"{SHA[:12]}-di\u200brty"]
PLAIN = [SHA[:12], f"{SHA[:12]}\r\n", f"main\t{SHA[:12]}"]


def put_image(raw: Json, text: str) -> ImageProof:
    raw["spec"]["template"]["spec"]["containers"][0]["image"] = f"registry.example.test/app:{text}"
    return ImageProof(ProofKind.TAG)


def put_variable(raw: Json, text: str) -> ImageProof:
    raw["spec"]["template"]["spec"]["containers"][0]["env"] = [{"name": "SHA", "value": text}]
    return ImageProof(ProofKind.ENV, "SHA")


def put_annotation(raw: Json, text: str) -> ImageProof:
    raw["spec"]["template"]["metadata"]["annotations"] = {"commit": text}
    return ImageProof(ProofKind.ANNOTATION, "commit")


def put_label(raw: Json, text: str) -> ImageProof:
    raw["metadata"]["labels"]["commit"] = text
    return ImageProof(ProofKind.LABEL, "commit")


def proves(snapshot: Snapshot, put: Callable[[Json, str], ImageProof], text: str) -> bool:
    raw: Any = make_deployment(SampleApp(), "1.2", number=2, generation=2, counts=(2, 2, 2))
    proof = put(raw, text)
    seen = replace(snapshot, workload=parse_workload(WorkloadKind.DEPLOYMENT, raw))
    return proves_commit(seen, Expectation(sha=SHA, proof=proof))


@pytest.mark.parametrize("put", [put_image, put_variable, put_annotation, put_label])
def test_a_text_on_a_workload_is_read_as_it_is(
    snapshot: Callable[..., Snapshot], put: Callable[[Json, str], ImageProof]
) -> None:
    assert all(proves(snapshot(), put, text) for text in PLAIN)
    assert not any(proves(snapshot(), put, text) for text in (*JOINED, *OTHERWISE))


def test_a_revision_of_a_gitops_tool_is_read_as_it_is() -> None:
    meta = {"uid": "u", "generation": 1}
    for text, named in ((SHA, (SHA,)), (f"{SHA[:4]}\u200b{SHA[4:]}", ())):
        flux = parse_kustomization({
            "metadata": meta, "spec": {}, "status": {"lastAppliedRevision": f"main@sha1:{text}"}
        })  # fmt: skip
        assert flux.applied_commits == named
        for sync in ({"revision": text}, {"revisions": [text]}):
            assert parse_application({"metadata": meta, "spec": {}, "status": {"sync": sync}}).commits == named


def test_a_value_of_a_live_answer_is_read_as_it_is() -> None:
    for text in (*JOINED, *OTHERWISE):
        answer = HttpResponse(200, {}, json.dumps({"commit": text}).encode(), 0.1)
        found = read_answer(answer, sha=SHA, path=("commit",), compare=lambda _name: Containment.UNKNOWN)
        assert found.shown is not Shown.OURS
