"""What kubectl is asked, and what its JSON becomes."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from homelab_hooks.config.link_spec import parse_link
from homelab_hooks.errors import CommandError
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.kubectl.client import Kubectl
from homelab_hooks.kubectl.model import ContainerPhase, WorkloadKind, WorkloadTarget
from homelab_hooks.polling.outcome import FailureKind, Found, Unavailable
from homelab_hooks.system.completed import Completed

Given = Callable[..., Any]
TARGET = WorkloadTarget.parse("shop/web")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("shop/web", WorkloadKind.DEPLOYMENT),
        ("shop/deploy/web", WorkloadKind.DEPLOYMENT),
        ("shop/deployments.apps/web", WorkloadKind.DEPLOYMENT),
        ("shop/sts/web", WorkloadKind.STATEFULSET),
        ("shop/StatefulSet/web", WorkloadKind.STATEFULSET),
        ("shop/ds/web", WorkloadKind.DAEMONSET),
        ("shop/cj/web", WorkloadKind.CRONJOB),
        ("shop/cronjobs.batch/web", WorkloadKind.CRONJOB),
        ("shop/ro/web", WorkloadKind.ROLLOUT),
        ("shop/rollout.argoproj.io/web", WorkloadKind.ROLLOUT),
        ("shop/ks/web", WorkloadKind.KUSTOMIZATION),
        ("shop/kustomizations.kustomize.toolkit.fluxcd.io/web", WorkloadKind.KUSTOMIZATION),
        ("shop/app/web", WorkloadKind.APPLICATION),
        ("shop/apps/web", WorkloadKind.APPLICATION),
        ("shop/applications.argoproj.io/web", WorkloadKind.APPLICATION),
    ],
)
def test_a_target_is_a_deployment_or_names_its_kind(text: str, kind: WorkloadKind) -> None:
    assert WorkloadTarget.parse(text) == WorkloadTarget("shop", kind, "web")
    assert WorkloadTarget.parse(str(WorkloadTarget.parse(text))) == WorkloadTarget.parse(text)
    assert parse_link(f"deploy:{text}").workload == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "web",
        "shop/",
        "/web",
        "shop/pod/web",
        "a/b/c/d",
        "shop/-oyaml",
        "--all/web",
        "shop/we b",
        "SHOP/web",
        "shop//web",
    ],
)
def test_a_malformed_target_is_a_usage_problem_that_names_it(text: str) -> None:
    with pytest.raises(CommandError) as caught:
        WorkloadTarget.parse(text)
    assert caught.value.exit is ExitCode.USAGE
    assert repr(text) in caught.value.message


def test_the_users_context_and_kubeconfig_pass_through_and_each_call_has_an_end(canned: Given) -> None:
    kubectl, processes = canned(Completed(1), context="home", kubeconfig="/k/config")
    kubectl.workload(WorkloadTarget.parse("shop/sts/db"), within=7.5)
    argv = [
        "kubectl", "--kubeconfig=/k/config", "--context=home", "--namespace=shop",
        "get", "statefulset", "db", "--output=json",
    ]  # fmt: skip
    assert processes.calls == [(argv, 7.5)]


def test_the_command_for_a_log_names_the_pod_whatever_it_is_called(canned: Given) -> None:
    """A user may paste it into a shell as it is."""
    kubectl, _ = canned(Completed(0))
    command = kubectl.log_command(TARGET, "web; touch 'x'", "$(id)")
    assert shlex.split(command)[-2:] == ["--container=$(id)", "web; touch 'x'"]


def test_without_kubectl_it_is_a_problem_with_a_hint(canned: Given) -> None:
    kubectl, _ = canned(Completed(127, not_found=True))
    with pytest.raises(CommandError) as caught:
        kubectl.workload(TARGET, within=1.0)
    assert caught.value.exit is ExitCode.USAGE
    assert caught.value.hint


def answer(canned: Given, value: object) -> Kubectl:
    kubectl, _ = canned(Completed(0, json.dumps(value).encode()))
    assert isinstance(kubectl, Kubectl)
    return kubectl


def test_pods_are_matched_by_owner_not_by_label(canned: Given, recorded: Given) -> None:
    """A canary with the same labels and a bare pod belong to others."""
    snapshot = recorded("a-rolling-update")["snapshots"][-1]
    workload = answer(canned, snapshot["deployment"]).workload(TARGET, within=1.0)
    assert isinstance(workload, Found)
    revisions = answer(canned, {"items": snapshot["replicasets"]}).revisions(TARGET, workload.value, within=1.0)
    assert isinstance(revisions, Found)
    stranger = json.loads(json.dumps(snapshot["pods"][0]))
    stranger["metadata"]["ownerReferences"][0]["uid"] = "canary"
    bare = json.loads(json.dumps(snapshot["pods"][0]))
    del bare["metadata"]["ownerReferences"]
    listed = {"items": [*snapshot["pods"], stranger, bare]}
    pods = answer(canned, listed).pods(TARGET, workload.value, revisions.value, within=1.0)
    assert isinstance(pods, Found)
    assert [pod.name for pod in pods.value] == [raw["metadata"]["name"] for raw in snapshot["pods"]]
    assert {pod.revision for pod in pods.value} == {"web-69bdc4f86"}


def test_an_injected_sidecar_is_distinguished_by_name(canned: Given, recorded: Given) -> None:
    """It stands first in the pod, and is not in the template."""
    snapshot = recorded("r-sidecar-and-init")["snapshots"][-1]
    workload = answer(canned, snapshot["deployment"]).workload(TARGET, within=1.0)
    assert isinstance(workload, Found)
    revisions = answer(canned, {"items": snapshot["replicasets"]}).revisions(TARGET, workload.value, within=1.0)
    assert isinstance(revisions, Found)
    pods = answer(canned, {"items": snapshot["pods"]}).pods(TARGET, workload.value, revisions.value, within=1.0)
    assert isinstance(pods, Found)
    assert [container.name for container in workload.value.template.containers] == ["app"]
    states = {state.name: state for state in pods.value[0].containers}
    assert states["migrate"].init
    assert states["app"].phase is ContainerPhase.RUNNING
    assert len(states) == 3


@pytest.mark.parametrize(
    ("name", "kind", "revision"),
    [("n-statefulset", "sts", "web-67777bb8b4"), ("o-daemonset", "ds", "web-69bdc4f86")],
)
def test_pods_of_controller_revisions_are_distinguished_by_their_label(
    *, canned: Given, recorded: Given, name: str, kind: str, revision: str
) -> None:
    """A StatefulSet's label has the revision's name, a DaemonSet's its hash."""
    target = WorkloadTarget.parse(f"shop/{kind}/web")
    snapshot = recorded(name)["snapshots"][-1]
    workload = answer(canned, snapshot[target.kind]).workload(target, within=1.0)
    assert isinstance(workload, Found)
    items = {"items": snapshot["controllerrevisions"]}
    revisions = answer(canned, items).revisions(target, workload.value, within=1.0)
    assert isinstance(revisions, Found)
    pods = answer(canned, {"items": snapshot["pods"]}).pods(target, workload.value, revisions.value, within=1.0)
    assert isinstance(pods, Found)
    assert [pod.revision for pod in pods.value] == [revision] * 3
    newest = max(revisions.value, key=lambda each: each.number)
    assert newest.name == revision
    assert newest.template == workload.value.template


def test_text_of_the_cluster_has_no_control_characters(canned: Given, recorded: Given) -> None:
    snapshot = recorded("g-quota-failed-create")["snapshots"][5]
    raw = json.loads(json.dumps(snapshot["deployment"]))
    raw["status"]["conditions"] = [
        {"type": "ReplicaFailure", "status": "True", "message": "\x1b[31mno\x07\nquota\u202e"}
    ]
    raw["spec"]["template"]["spec"]["containers"][0]["image"] = "app:\x1b[2J9f2c1a7b"
    workload = answer(canned, raw).workload(TARGET, within=1.0)
    assert isinstance(workload, Found)
    assert workload.value.cannot_create == "no quota"
    assert workload.value.template.containers[0].image == "app:\ufffd9f2c1a7b"


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"<html>", b"{", b'{"metadata": {}}', b"[" * 100_000, b'"x"'])
def test_an_answer_that_is_not_a_workload_is_of_no_use(canned: Given, body: bytes) -> None:
    kubectl, _ = canned(Completed(0, body))
    poll = kubectl.workload(TARGET, within=1.0)
    assert isinstance(poll, Unavailable)
    assert poll.kind is FailureKind.BODY


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=50)
@given(data=st.data())
def test_no_answer_makes_the_reading_raise(data: st.DataObject, canned: Given, recorded: Given) -> None:
    """A part of a real answer becomes anything at all."""
    snapshot = recorded("r3-init-fails")["snapshots"][6]
    whole = {"w": snapshot["deployment"], "r": snapshot["replicasets"], "p": snapshot["pods"]}
    raw = json.loads(json.dumps(whole))
    spot: Any = raw
    while isinstance(spot, dict | list) and spot:
        keys = sorted(spot) if isinstance(spot, dict) else range(len(spot))
        key: Any = data.draw(st.sampled_from(keys))
        if not isinstance(spot[key], dict | list) or not spot[key] or data.draw(st.integers(0, 4)) == 0:
            spot[key] = data.draw(JSON)
            break
        spot = spot[key]
    workload = answer(canned, raw["w"]).workload(TARGET, within=1.0)
    sound = answer(canned, whole["w"]).workload(TARGET, within=1.0)
    assert isinstance(sound, Found)
    revisions = answer(canned, {"items": raw["r"]}).revisions(TARGET, sound.value, within=1.0)
    pods = answer(canned, {"items": raw["p"]}).pods(TARGET, sound.value, (), within=1.0)
    assert all(isinstance(poll, Found | Unavailable) for poll in (workload, revisions, pods))
