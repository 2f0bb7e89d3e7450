"""Aggregated API discovery of the simulated API server: one document per group, as in Kubernetes 1.26 and later."""

from __future__ import annotations

from homelab_hooks.simulators.kubernetes.timeline import PLURALS, group_of, group_version
from homelab_hooks.text.json_fields import Json

AGGREGATED_TYPE = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
BUILT_IN_GROUPS = ("apps", "batch")
CUSTOM_GROUPS = ("kustomize.toolkit.fluxcd.io", "argoproj.io")
"""the groups of Flux and Argo, which a cluster has only if they were installed"""
DISCOVERY: dict[str, Json] = {"/version": {"major": "1", "minor": "37", "gitVersion": "v1.37.2"}}
_VERBS = ["get", "list", "watch"]
_SHORT_NAMES = {
    "deployments": ["deploy"], "statefulsets": ["sts"], "daemonsets": ["ds"], "replicasets": ["rs"],
    "cronjobs": ["cj"], "kustomizations": ["ks"], "applications": ["app", "apps"], "rollouts": ["ro"],
}  # fmt: skip


def find_groups(path: str, *, with_custom: bool) -> tuple[str, ...] | None:
    """Return the groups that a discovery path lists; None for another path. The empty name is the core group."""
    match path:
        case "/api":
            return ("",)
        case "/apis":
            return (*BUILT_IN_GROUPS, *(CUSTOM_GROUPS if with_custom else ()))
        case _:
            return None


def make_aggregated_discovery(groups: tuple[str, ...]) -> Json:
    """Return the discovery document of these groups."""
    items = [_make_group(group) for group in groups]
    return {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items}


def _make_group(group: str) -> Json:
    plurals = {kind: plural for kind, plural in PLURALS.items() if group_of(plural) == group}
    name = group_version(next(iter(plurals.values()))).rpartition("/")[2]
    resources = [
        {
            "resource": plural, "singularResource": kind.lower(), "scope": "Namespaced", "verbs": _VERBS,
            "responseKind": {"group": group, "version": name, "kind": kind},
            "shortNames": _SHORT_NAMES.get(plural, []),
        }
        for kind, plural in plurals.items()
    ]  # fmt: skip
    version = {"version": name, "resources": resources, "freshness": "Current"}
    return {"metadata": {"name": group}, "versions": [version]}
