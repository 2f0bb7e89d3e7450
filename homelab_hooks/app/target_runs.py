"""What runs on the target branch before a push: CI's list, the configuration in git, and skip markers."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from homelab_hooks.app.pipeline_filter import are_workflows_filtered
from homelab_hooks.app.previous_state import cache_dependence
from homelab_hooks.ci.model import Pipeline, Repo
from homelab_hooks.ci.provider import Provider, RunFilter, Wakes, find_skip_marker
from homelab_hooks.config.link_spec import PUSH_EVENT
from homelab_hooks.git.history import Commit
from homelab_hooks.git.reader import ReadOnlyRepository
from homelab_hooks.polling.outcome import Poll


class CiTargetPipelines:
    """The pipelines of the target branch (`land.request.TargetPipelines`).

    Args:
        connect: returns the provider and the repository, which the preflight has looked up.
        wall: returns Unix time in seconds, on which the reflog's times are based; None if they are not (a fixed
            GIT_COMMITTER_DATE): a tip then counts as new.
    """

    def __init__(
        self,
        connect: Callable[[], tuple[Provider, Repo]],
        git: ReadOnlyRepository,
        *,
        wall: Callable[[], float] | None,
    ) -> None:
        self._connect = connect
        self._git = git
        self._wall = wall

    @property
    def cancels_previous(self) -> bool:
        """Return whether CI cancels running push pipelines of a branch when a newer one starts."""
        return PUSH_EVENT in self._connect()[1].cancels_previous

    def pipelines(self, branch: str, *, within: float) -> Poll[tuple[Pipeline, ...]]:
        """Return the newest push pipelines of a branch, the newest first."""
        ci, repo = self._connect()
        return ci.runs.pipelines(repo, within=within, only=RunFilter(events=frozenset({PUSH_EVENT}), branch=branch))

    def open_stream(self) -> Wakes | None:
        """Open the event stream of the repository; None if the provider has none."""
        ci, repo = self._connect()
        return ci.open_stream(repo) if ci.open_stream else None

    def find_dependence(self, sha: str) -> str:
        """Return the first sign that the commit's run depends on the commit before it; empty if there is none."""
        return self._find_dependence(self._connect()[1], sha)

    @cached_property
    def _find_dependence(self) -> Callable[[Repo, str], str]:
        return cache_dependence(self._git, self._connect()[0].traits)

    def describe_tip(self, sha: str, tracking: str) -> tuple[float, str]:
        """Return for how many seconds at least a commit has been the tip of a tracking ref, and why it runs nothing."""
        seen_at = self._git.history.ref_moved_at(tracking, sha) if self._wall else 0
        age_s = max(0.0, self._wall() - seen_at) if self._wall and seen_at else 0.0
        return age_s, self._explain_no_pipeline(sha, tracking)

    def _explain_no_pipeline(self, sha: str, tracking: str) -> str:
        ci, repo = self._connect()
        traits, (_, _, remote, branch) = ci.traits, tracking.split("/", 3)
        if marker := find_skip_marker(self._git.history.commit_message(sha), traits):
            return f"its message contains {marker}"
        if repo.config_path:  # what is evaluated below is at the default paths
            return ""
        if self._git.history.has_ci_configuration(sha, traits.config_paths) is False:
            return f"it has no {traits.name} configuration"
        filtered = are_workflows_filtered(self._git, Commit(sha), remote, (branch,), traits)
        return "no workflow's conditions match" if filtered else ""
