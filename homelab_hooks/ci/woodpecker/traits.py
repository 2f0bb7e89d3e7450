"""Facts about Woodpecker: events, configuration paths, skip markers, paths of its API and its web pages."""

from __future__ import annotations

import re
from collections.abc import Mapping

from homelab_hooks.ci.provider import Traits, Trigger

DECIDING_EVENTS = ("push", "pull_request", "tag", "release", "deployment", "manual")
"""the events that decide for `homelab-watch`; cron decides only if it is named"""
MAX_PAGE_SIZE = 50
"""rows of the longest page that the server gives (recording 01-lookup-and-errors)"""
HEALTH_PATH = "/healthz"
HEALTHY_STATUS_CODE = 204
VERSION_HEADER = "x-woodpecker-version"
"""in every response of Woodpecker's API and web pages (recording 17-http-facts)"""
TOKEN_PAGE = "/user/cli-and-api"  # noqa: S105 - the page on which a user copies a token
CANCEL_INFO_SINCE_VERSION = (3, 14)
"""the first version that says who or what cancelled a pipeline"""
PREVIOUS_STATE_WORDS = ("CI_PREV_", "CI_PIPELINE_FILES")
"""variables about the pipeline before this one, and the files that were changed since (docs: environment variables)"""
PULL_FAILURE = re.compile(
    r"pull access denied|manifest (?:for .* not found|unknown)|toomanyrequests|pull rate limit"
    r"|Err?ImagePull|ImagePullBackOff|failed to (?:pull|resolve)|response from daemon: (?:Get|Head) \"https?://",
    re.IGNORECASE,
)
"""what the backends of the agent (Docker, Kubernetes) report for an image that could not be pulled"""
FORGE_FAILURE = "could not load config from forge"
"""how the error of a pipeline begins whose configuration the forge did not return (server/pipeline/create.go)"""


def _are_all_filtered(files: Mapping[str, str], trigger: Trigger) -> bool | None:
    """Evaluate the conditions of workflows; the YAML reader is imported only then."""
    from homelab_hooks.ci.woodpecker.conditions import are_all_filtered

    return are_all_filtered(files, trigger)


def _find_dependence(files: Mapping[str, str]) -> str:
    """Look for signs of dependence on the previous commit; the YAML reader is imported only then."""
    from homelab_hooks.ci.woodpecker.previous_state import find_dependence

    return find_dependence(files)


WOODPECKER = Traits(
    name="Woodpecker",
    deciding_events=DECIDING_EVENTS,
    all_events=(*DECIDING_EVENTS, "cron", "pull_request_closed", "pull_request_metadata"),
    # A pull request's pipeline is about another commit, a cron's or a tag's about something else.
    branch_events=frozenset({"push", "manual"}),
    manual_event="manual",
    config_paths=(".woodpecker", ".woodpecker.yaml", ".woodpecker.yml"),
    config_hint=".woodpecker.yaml or .woodpecker/",
    skip_marker=re.compile(r"\[(?:ci *skip|skip *ci)\]", re.IGNORECASE),  # server/.../constraint/skip.go: spaces only
    skipped_event="push",
    max_page_size=MAX_PAGE_SIZE,
    health_path=HEALTH_PATH,
    healthy_status=HEALTHY_STATUS_CODE,
    version_header=VERSION_HEADER,
    version_path="/api/version",
    token_page=TOKEN_PAGE,
    activate_path="/repos/add",
    webhook_path="/api/hook",
    are_all_filtered=_are_all_filtered,
    find_dependence=_find_dependence,
    previous_state_words=PREVIOUS_STATE_WORDS,
)


def format_pipelines_page(server_url: str, repo_id: object) -> str:
    """Return the web page that the pages of a repository's pipelines are below.

    >>> format_pipelines_page("https://ci.example.org", 8)
    'https://ci.example.org/repos/8/pipeline'
    """
    return f"{server_url}/repos/{repo_id}/pipeline"


def reports_cancellation(version: str) -> bool:
    """Return whether a server of this version says who or what cancelled a pipeline.

    >>> [reports_cancellation(version) for version in ("3.17.0", "2.8.3", "", "next-1a2b")]
    [True, False, False, True]
    """
    if not version:
        return False
    found = re.match(r"([0-9]{1,9})\.([0-9]{1,9})(?:\.|$)", version)
    return found is None or (int(found[1]), int(found[2])) >= CANCEL_INFO_SINCE_VERSION
