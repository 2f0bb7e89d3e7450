"""Aggregated API discovery of the simulated API server: one document per group, as in Kubernetes 1.26 and later."""

from __future__ import annotations

from homelab_hooks.simulators.kubernetes.timeline import PLURALS
from homelab_hooks.text.json_fields import Json

AGGREGATED_TYPE = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
CORE_RESOURCES = {"pods", "events"}
GROUPS = {"/api": "", "/apis": "apps"}
DISCOVERY: dict[str, Json] = {"/version": {"major": "1", "minor": "37", "gitVersion": "v1.37.2"}}
_VERBS = ["get", "list", "watch"]
_SHORT_NAMES = {"deployments": ["deploy"], "statefulsets": ["sts"], "daemonsets": ["ds"], "replicasets": ["rs"]}


def make_aggregated_discovery(group: str) -> Json:
    """Return the discovery document of a group; the empty name is the core group."""
    kinds = {kind: plural for kind, plural in PLURALS.items() if (plural in CORE_RESOURCES) is (group == "")}
    resources = [
        {
            "resource": plural, "singularResource": kind.lower(), "scope": "Namespaced", "verbs": _VERBS,
            "responseKind": {"group": group, "version": "v1", "kind": kind},
            "shortNames": _SHORT_NAMES.get(plural, []),
        }
        for kind, plural in kinds.items()
    ]  # fmt: skip
    version = {"version": "v1", "resources": resources, "freshness": "Current"}
    item = {"metadata": {"name": group}, "versions": [version]}
    return {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": [item]}
