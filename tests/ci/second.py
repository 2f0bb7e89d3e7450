"""A second CI provider, which exists only here: runs in memory, with what differs most from Woodpecker.

A run is addressed by a string. There is one run for each workflow of a commit, so the group is the workflow's name. A
run that is repeated keeps its display number and gets another attempt. It has neither an event stream nor a queue.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from homelab_hooks.ci.model import LogLine, Pipeline, QueueInfo, Repo, RunRef, Status, Step, Workflow
from homelab_hooks.ci.provider import Provider, RunFilter, Traits
from homelab_hooks.polling.outcome import Denied, Found, Poll

STATUSES = {
    "queued": Status.PENDING,
    "in_progress": Status.RUNNING,
    "success": Status.SUCCESS,
    "failure": Status.FAILURE,
}
TRAITS = Traits(
    name="Second CI",
    deciding_events=("push",),
    all_events=("push", "schedule"),
    branch_events=frozenset({"push"}),
    manual_event="dispatch",
    config_paths=(".second/workflows",),
    config_hint="a file in .second/workflows/",
    skip_marker=re.compile(r"\[skip actions\]"),
    skipped_event="push",
    max_page_size=30,
    health_path="/health",
    healthy_status=200,
    version_header="x-second-version",
    version_path="/version",
    token_page="/tokens",
    activate_path="/settings",
)


@dataclass
class SecondRun:
    """A run with its statuses, one for each poll."""

    workflow: str
    conclusions: Sequence[str]
    commit: str
    attempt: int = 1
    log: tuple[str, ...] = ()
    polls: int = 0

    def poll(self, number: int) -> Pipeline:
        word = self.conclusions[min(self.polls, len(self.conclusions) - 1)]
        self.polls += 1
        status = STATUSES[word]
        step = Step(f"{self.workflow}/job", 1, "job", status, exit_code=2 if status.is_failed else 0)
        return Pipeline(
            run=RunRef(f"{self.workflow}@{self.attempt}", f"{self.workflow} (attempt {self.attempt})"),
            number=number,
            group=self.workflow,
            event="push",
            ref="refs/heads/main",
            branch="main",
            commit=self.commit,
            status=status,
            raw_status=word,
            reports_cancellation=True,
            workflows=(Workflow(1, self.workflow, status, steps=(step,)),),
            url=f"https://second.example.test/runs/{self.workflow}",
        )


@dataclass
class SecondCi:
    """The server; `runs` are the oldest first."""

    runs: list[SecondRun] = field(default_factory=list)

    def user(self, *, within: float) -> Poll[str]:
        del within
        return Found("alice")

    def can_push(self, repo: Repo, *, within: float) -> Poll[bool]:
        del repo, within
        return Found(value=True)

    def queue(self, *, within: float) -> Poll[QueueInfo]:
        del within
        return Denied("this server has no queue")

    def repository(self, full_name: str, *, within: float) -> Poll[Repo]:
        del within
        return Found(Repo(("second", full_name), full_name))

    def pipelines(
        self, repo: Repo, *, within: float, page: int = 1, per_page: int = 30, only: RunFilter | None = None
    ) -> Poll[tuple[Pipeline, ...]]:
        del repo, within, only
        rows = [run.poll(number) for number, run in enumerate(self.runs, 1)]
        return Found(tuple(reversed(rows))[(page - 1) * per_page : page * per_page])

    def pipeline(self, repo: Repo, run: RunRef, *, within: float) -> Poll[Pipeline]:
        del repo, within
        found = [row for row in (one.poll(number) for number, one in enumerate(self.runs, 1)) if row.run == run]
        return Found(found[0]) if found else Denied(f"there is no run {run}")

    def log(self, repo: Repo, run: RunRef, step: Step, *, within: float) -> Poll[tuple[LogLine, ...]]:
        del repo, run, within
        (one,) = (one for one in self.runs if f"{one.workflow}/job" == step.id)
        return Found(tuple(LogLine(number, text) for number, text in enumerate(one.log)))

    def restart(self, repo: Repo, run: RunRef, *, within: float) -> Poll[Pipeline]:
        del repo, within
        old = next(one for one in self.runs if f"{one.workflow}@{one.attempt}" == run.key)
        self.runs.append(SecondRun(old.workflow, ["queued", "success"], old.commit, attempt=old.attempt + 1))
        return Found(self.runs[-1].poll(len(self.runs))._replace(parent=run))

    def start(self, repo: Repo, branch: str, *, within: float) -> Poll[Pipeline]:
        del repo, within
        return Denied(f"{branch} cannot be started by hand")

    def cancel(self, repo: Repo, run: RunRef, *, within: float) -> Poll[bool]:
        del repo, within
        return Denied(f"{run} cannot be cancelled")

    @property
    def provider(self) -> Provider:
        return Provider(runs=self, account=self, logs=self, control=self, traits=TRAITS)
