"""Asks CI once whether a commit has a newer pipeline than the one whose result is known."""

from __future__ import annotations

from homelab_hooks.app import watch_setup
from homelab_hooks.app.session import Session
from homelab_hooks.ci.model import Repo
from homelab_hooks.ci.provider import Provider, RunFilter
from homelab_hooks.config.resolve import Config
from homelab_hooks.errors import CommandError
from homelab_hooks.land.landed import Landed
from homelab_hooks.polling.outcome import Found

QUERY_TIMEOUT_S = 5.0
"""seconds for each request; without an answer, the known result stands"""


def has_newer_pipeline(landed: Landed, known_number: int, config: Config, session: Session) -> bool:
    """Return whether CI lists a pipeline of the commit with a higher number; False if CI does not answer."""
    try:
        ci = session.runtime.ci_provider(config)
        names = watch_setup.repo_names(config, session.runtime.git_readonly, lambda: landed.remote)
    except CommandError:
        return False
    repo = _find_repo(ci, names)
    if repo is None:
        return False
    listed = ci.runs.pipelines(repo, within=QUERY_TIMEOUT_S, only=RunFilter(branch=landed.branch))
    return isinstance(listed, Found) and any(
        pipeline.commit == landed.sha and pipeline.number > known_number for pipeline in listed.value
    )


def _find_repo(ci: Provider, names: tuple[str, ...]) -> Repo | None:
    for name in names:
        answer = ci.runs.repository(name, within=QUERY_TIMEOUT_S)
        if isinstance(answer, Found):
            found: Repo = answer.value
            return found
    return None
