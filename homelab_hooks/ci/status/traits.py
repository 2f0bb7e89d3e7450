"""Facts about commit statuses, and how a watch of them differs."""

from __future__ import annotations

import re

from homelab_hooks.ci.forge_api import PAGE_SIZE
from homelab_hooks.ci.provider import Traits, WatchRules
from homelab_hooks.events import STATUS_TRIGGER

STATUS_EVENT = STATUS_TRIGGER
REQUEST_INTERVAL_S = 5.0
ANONYMOUS_INTERVAL_S = 120.0
"""a poll of github.com takes two requests, and 60 an hour are answered without a token"""


def make_status_traits(*, is_anonymous: bool = False) -> Traits:
    """Return the facts about commit statuses.

    Args:
        is_anonymous: requests carry no token.
    """
    interval = ANONYMOUS_INTERVAL_S if is_anonymous else REQUEST_INTERVAL_S
    rules = WatchRules(
        lists_by_commit=True,
        late_runs_s=interval,  # one more poll
        request_interval_s=interval,
        passes_skipped=True,
        has_commands=False,
        rerun_hint="start the check again where it ran",
    )
    return Traits(
        name="commit statuses",
        deciding_events=(STATUS_EVENT,),
        all_events=(STATUS_EVENT,),
        branch_events=frozenset(),
        started_events=frozenset(),
        manual_event="",
        config_paths=(),
        config_hint="",
        skip_marker=re.compile(r"(?!)"),  # a status may come from any CI
        skipped_event="",
        max_page_size=PAGE_SIZE,
        health_path="",
        healthy_status=200,
        version_header="",
        version_path="",
        token_page="",
        activate_path="",
        rules=rules,
        absence=(
            "no commit status or check of the forge has this name",
            "compare the name with those on the commit's page, and check that the CI reports to this forge",
        ),
    )
