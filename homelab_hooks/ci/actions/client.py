"""Reads the Actions runs of a repository."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from homelab_hooks.ci.actions.log_download import LogHosts, read_log_response
from homelab_hooks.ci.actions.log_text import parse_job_log
from homelab_hooks.ci.actions.parse import parse_jobs, parse_runs
from homelab_hooks.ci.forge_api import PAGE_SIZE, AttemptCounter, ForgeApi
from homelab_hooks.ci.model import LogLine, Pipeline, Repo, RunRef, Step, Workflow
from homelab_hooks.ci.provider import RunFilter
from homelab_hooks.polling.outcome import Denied, Found, NotFound, Poll

MAX_JOB_PAGES = 6
"""pages of jobs: GitHub allows 256 jobs in a matrix"""


class ActionsClient:
    """Runs, jobs, and logs of one forge.

    Args:
        api: the forge's API.
        hosts: reaches the hosts that logs are redirected to.
        sha: the commit that is watched.
    """

    def __init__(self, api: ForgeApi, hosts: LogHosts, sha: str) -> None:
        self._api, self._hosts, self._sha = api, hosts, sha
        self._attempts = AttemptCounter()
        self._rows: dict[RunRef, Pipeline] = {}
        self._logs: dict[int, str] = {}

    def repository(self, full_name: str, *, within: float) -> Poll[Repo]:
        """Return the repository if its runs can be listed: the token may read them, and Actions are enabled."""
        repo = Repo(full_name, full_name)
        answer = self.pipelines(repo, within=within, per_page=1, only=RunFilter(commit=self._sha))
        return Found(repo) if isinstance(answer, Found) else answer

    def pipelines(
        self, repo: Repo, *, within: float, page: int = 1, per_page: int = PAGE_SIZE, only: RunFilter | None = None
    ) -> Poll[tuple[Pipeline, ...]]:
        """Return a page of runs; Forgejo reads `limit` only beside `page`, and GitHub names it `per_page`."""
        only = only or RunFilter()
        query = {"head_sha": only.commit, "event": next(iter(only.events)) if len(only.events) == 1 else ""}
        asked = {key: value for key, value in query.items() if value}
        sizes = {"page": str(page), "limit": str(per_page), "per_page": str(per_page)}
        path = f"{_repo_path(repo)}/actions/runs?{urlencode(asked | sizes)}"
        answer = self._api.get(
            path, lambda raw: parse_runs(raw, self._attempts), f"the Actions runs of {repo.full_name}", within=within
        )
        if isinstance(answer, Found):
            self._rows |= {row.run: row for row in answer.value}
        return answer

    def pipeline(self, repo: Repo, run: RunRef, *, within: float) -> Poll[Pipeline]:
        """Return a run of the list with its jobs; one whose jobs may not be listed says so."""
        row = self._rows.get(run)
        if row is None:
            return NotFound(f"{run} is not on the list")
        jobs: list[Workflow] = []
        for page in range(1, MAX_JOB_PAGES + 1):
            path = (
                f"{_repo_path(repo)}/actions/runs/{row.number}/jobs?page={page}&limit={PAGE_SIZE}&per_page={PAGE_SIZE}"
            )
            answer = self._api.get(path, parse_jobs, f"the jobs of {run}", within=within)
            if isinstance(answer, Denied):
                return Found(row._replace(hidden_workflows=answer.reason))
            if not isinstance(answer, Found):
                return answer
            jobs += answer.value
            if len(answer.value) < PAGE_SIZE:
                break
        return Found(row._replace(workflows=tuple(jobs)))

    def log(self, repo: Repo, run: RunRef, step: Step, *, within: float) -> Poll[tuple[LogLine, ...]]:
        """Return the log of the step's job up to the step's end; it is requested once."""
        del run
        if not (isinstance(step.id, tuple) and len(step.id) == 2):  # noqa: PLR2004 - job and end
            return NotFound("the step has no log")
        job, until = step.id
        if job not in self._logs:
            answer = self._api.send("GET", f"{_repo_path(repo)}/actions/jobs/{job}/logs", within=within)
            text = read_log_response(answer, self._hosts, within=within)
            if not isinstance(text, Found):
                return text
            self._logs[job] = text.value
        return Found(parse_job_log(self._logs[job], until=until))


def _repo_path(repo: Repo) -> str:
    return f"/repos/{quote(repo.full_name)}"
