"""A watch of the simulated forge without sockets."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from homelab_hooks.net.message import HttpRequest, HttpResponse, RequestFailed
from homelab_hooks.simulators.faults import FaultPlan
from homelab_hooks.simulators.forge.faults import answer_with_faults
from homelab_hooks.simulators.forge.gitea_api import answer
from homelab_hooks.simulators.forge.message import ForgeRequest
from homelab_hooks.simulators.forge.runs import ForgeReports, RunPhase, SimulatedJob, SimulatedRun
from homelab_hooks.simulators.forge.store import ALL_SCOPES, ForgeStore, ForgeUser, RepoRight, SimulatedForgeRepo
from tests.watch.run_without_sockets import StreamClock

OURS = "a1" * 20
BASE = "https://git.example.test"


@dataclass
class ForgeInMemory:
    """A transport to the simulated forge; `replace` answers paths that contain a text with something else."""

    clock: StreamClock
    reports: ForgeReports
    replace: dict[str, HttpResponse | RequestFailed] = field(default_factory=dict)
    requests: list[HttpRequest] = field(default_factory=list)
    faults: FaultPlan = field(default_factory=FaultPlan)

    def __post_init__(self) -> None:
        repo = SimulatedForgeRepo("acme/app", {"bob": RepoRight.WRITE}, {"main": OURS}, reports=self.reports)
        users = [ForgeUser("bob", tokens={"canary": ALL_SCOPES})]
        self.store = ForgeStore(users, [repo], now=self.clock.now)

    def send(self, request: HttpRequest, *, timeout: float, max_bytes: int) -> HttpResponse | RequestFailed:
        del timeout, max_bytes
        self.requests.append(request)
        for text, other in self.replace.items():
            if text in request.path:
                return other
        headers = {name.lower(): value for name, value in request.headers.items()}
        asked = ForgeRequest(request.method, request.path, headers)
        found = answer_with_faults(self.faults, asked, self.clock.now(), lambda: answer(self.store, asked, BASE))
        more = {name.lower(): value for name, value in found.headers}
        return HttpResponse(found.status, {"content-type": found.content_type, **more}, found.body, 0.1)

    @property
    def paths(self) -> list[str]:
        return [urlsplit(request.path).path.removeprefix("/api/v1/repos/acme/app") for request in self.requests]


def make_run(
    number: int, *words: tuple[float, str], workflow: str = "", log: str = "", event: str = "push", branch: str = "main"
) -> SimulatedRun:
    """A run with one job; a word that is not a status is the conclusion of a completed one."""
    phases = tuple(
        RunPhase(at, word) if word in {"queued", "in_progress", "waiting"} else RunPhase(at, "completed", word)
        for at, word in words
    )
    job = SimulatedJob(number * 10, "job", phases, log)
    return SimulatedRun(number, workflow or f"w{number}.yml", OURS, phases, (job,), branch, event)
