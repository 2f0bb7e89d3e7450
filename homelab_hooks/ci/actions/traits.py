"""Facts about Actions: where workflows are, which markers skip a push, and how a watch of them differs."""

from __future__ import annotations

import re

from homelab_hooks.ci.forge_api import PAGE_SIZE
from homelab_hooks.ci.provider import Traits, WatchRules
from homelab_hooks.config.remote_forge import ForgeKind

LATE_RUNS_S = 15.0
"""seconds in which another run may appear: nine runs of one push appeared over ten seconds (forge recording 07h)"""
REQUEST_INTERVAL_S = 5.0
ANONYMOUS_INTERVAL_S = 60.0
"""github.com answers 60 requests an hour without a token ("Rate limits for the REST API")"""
SKIP_MARKER = re.compile(r"\[(?:skip ci|ci skip|no ci|skip actions|actions skip)\]")
"""the same five for GitHub ("Skipping workflow runs") and Gitea (SKIP_WORKFLOW_STRINGS in its settings)"""
CONFIG_PATHS = {
    ForgeKind.GITHUB: (".github/workflows",),
    ForgeKind.GITEA: (".gitea/workflows", ".github/workflows"),
    ForgeKind.FORGEJO: (".forgejo/workflows", ".gitea/workflows", ".github/workflows"),
}
NAMES = {
    ForgeKind.GITHUB: "GitHub Actions",
    ForgeKind.GITEA: "Gitea Actions",
    ForgeKind.FORGEJO: "Forgejo Actions",
}


def make_actions_traits(kind: ForgeKind, *, is_anonymous: bool = False) -> Traits:
    """Return the facts about the Actions of a kind of forge.

    Args:
        is_anonymous: requests carry no token.
    """
    rules = WatchRules(
        lists_by_commit=True,
        late_runs_s=LATE_RUNS_S,
        request_interval_s=ANONYMOUS_INTERVAL_S if is_anonymous else REQUEST_INTERVAL_S,
        blocks_late=True,
        passes_skipped=True,
        needs_workflows=True,
        # GitHub's job-level continue-on-error leaves a failed job under a green run; Gitea's does not (recording 07h).
        checks_workflows=kind is not ForgeKind.GITHUB,
        has_commands=False,
        rerun_hint="to run it again, use the run's web page",
        pending_hint="check that a runner with the labels of its jobs is online",
    )
    return Traits(
        name=NAMES[kind],
        deciding_events=("push",),
        all_events=("push", "pull_request", "workflow_dispatch", "schedule", "release"),
        branch_events=frozenset({"push"}),
        started_events=frozenset({"workflow_dispatch"}),
        manual_event="workflow_dispatch",
        config_paths=CONFIG_PATHS[kind],
        config_hint=f"a workflow in {CONFIG_PATHS[kind][0]}/",
        skip_marker=SKIP_MARKER,
        skipped_event="push",
        max_page_size=PAGE_SIZE,
        health_path="",
        healthy_status=200,
        version_header="",
        version_path="",
        token_page="/user/settings/applications",  # noqa: S106 - the page on which a user creates a token
        activate_path="/settings",
        rules=rules,
        absence=(
            "a workflow with broken YAML, path or branch filters, and a skip marker leave no trace on the forge",
            "check the YAML and the `on:` conditions of the workflows at this commit, and that Actions are enabled",
        ),
    )
