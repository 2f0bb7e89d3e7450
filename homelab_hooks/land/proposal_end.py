"""Ends a landing before the merge: nothing has landed, and what can be resumed or undone stays saved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.verdict import Verdict

if TYPE_CHECKING:
    from homelab_hooks.land.checks_decision import ChecksEnded
    from homelab_hooks.land.landing import Landing
    from homelab_hooks.land.merge_decision import NotMerged

_CONTINUED = {ExitCode.UNREACHABLE, ExitCode.TIMEOUT}


def end_unmerged(landing: Landing, end: ChecksEnded | NotMerged) -> Verdict:
    """Return the verdict, `landed=no`; without a merge of the target there is nothing to take back."""
    state = landing.state
    if end.exit in _CONTINUED or landing.git.history.head() != state.original_commit:
        landing.save(ended_with=end.exit.verdict)
    else:
        landing.discard()
    hint = end.hint
    return Verdict(end.exit, reason=end.reason, hint=hint, sha=state.pushed_commit, url=state.pull_url, landed=False)
