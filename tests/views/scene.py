"""One event list for every view: each kind of event at least once, with text from outside that means no good."""

from __future__ import annotations

from dataclasses import dataclass, field

from homelab_hooks.events import (
    Answer,
    BackgroundWatch,
    ChainStarted,
    ContactLost,
    ContactRestored,
    DeployResult,
    Event,
    Finding,
    FindingStatus,
    Log,
    LogLevel,
    PipelineChanged,
    PipelineResult,
    Progress,
    Result,
    RolloutChanged,
    SettingShown,
    Stage,
    StageChanged,
    Start,
    StepChanged,
    VerbListed,
    Waiting,
    WorkflowChanged,
)
from homelab_hooks.exit_codes import ExitCode

SHA = "9f2c1a7be0d34c55a1c2f3e4d5b6a79808172635"
URL = "https://ci.example.test/repos/8/pipeline/141"
SECRETS = ("t0ken-value", "hvs.vault-value")
EVENTS: tuple[Event, ...] = (
    Start(
        command="git land",
        sha=SHA,
        repo="acme/app",
        server="https://ci.example.test",
        resume=("homelab-watch", SHA),
    ),
    StageChanged(Stage.FETCH, Progress.STARTED, "origin"),
    StageChanged(Stage.FETCH, Progress.DONE, "origin/main is at 1f2e3d4c", 0.42),
    StageChanged(Stage.MERGE, Progress.SKIPPED, "it is contained already"),
    StageChanged(Stage.VERIFY, Progress.STARTED),
    Log("verify", "\x1b[32m12 passed\x1b[0m in 3.4 s\r"),
    Log("push", "remote: see https://ann:p@ss@git.example.test/acme/app with t0ken-value"),
    Log("homelab", "ignoring `server` in .homelab.toml", LogLevel.WARNING),
    Log("homelab", "the log could not be fetched", LogLevel.ERROR),
    ChainStarted(("ci", "mirror:git\u202ehub", "live:https://shop.example.test/t0ken-value")),
    StageChanged(Stage.WATCH, Progress.STARTED, link="ci"),
    Waiting("no pipeline yet", "redeliver the webhook, or homelab ci restart", 61.0),
    PipelineChanged(141, "push", "refs/heads/main", "created", url=URL, sha=SHA),
    PipelineChanged(142, "tag", "refs/tags/v1\x1b]0;title\x07", "running", url=URL, deciding=False, note="also"),
    PipelineChanged(141, "push", "refs/heads/main", "running", url=URL, sha=SHA, started=1795465876, expected=192.0),
    WorkflowChanged(141, 1, "build\u202egpj", "running"),
    StepChanged(141, "build", 2, "compile", "success", took=12.25),
    StepChanged(141, "build", 3, "test", "failure", exit_code=3, took=75.0, error="exit\ncode 3"),
    WorkflowChanged(141, 1, "build", "failure", 87.5, "exit code 3"),
    ContactLost("the server returned 502 (hvs.vault-value)", 174.6),
    ContactRestored(6.21),
    Log("step build/test", "漢" * 150),
    RolloutChanged(
        "web/shop", "progressing", "1 of 2 pods runs 9f2c1a7b", desired=2, updated=1, ready=2, available=2, old=1
    ),
    RolloutChanged("web/shop", "waiting"),
    Finding("git", FindingStatus.OK, "git 2.39.5"),
    Finding("kubectl", FindingStatus.SKIPPED, "no workload is waited for"),
    Finding("certificate", FindingStatus.WARNING, "by Example\x1b[2J CA, 3 days left", "renew it"),
    Finding(
        "server",
        FindingStatus.PROBLEM,
        "https://ann:p@ss@ci.example.test is not there",
        "homelab.ciDial",
        ExitCode.REFUSED,
    ),
    BackgroundWatch(sha=SHA, branch="main\x1b[2J", under_way=True, age=61.0, log="/srv/app/.git/homelab/watches/1.log"),
    BackgroundWatch(
        sha=SHA, branch="main", under_way=False, age=3600.0, verdict="failed", exit=ExitCode.FAILED, url=URL
    ),
    SettingShown("timeout", "5m", "option --timeout\x1b[2J"),
    VerbListed("ci watch", "read", "wait for the CI result of a commit", "homelab-watch"),
    Answer("/srv/app/.worktrees/topic"),
    Log("homelab", f"to resume, run: homelab follow {SHA}", resume=("homelab", "follow", SHA)),
    Result(
        verdict="failed",
        exit=ExitCode.FAILED,
        sha=SHA,
        pipelines=(PipelineResult(141, "push", "refs/heads/main", "failure", URL),),
        deploys=(DeployResult("web/shop", "timeout", "the image did not come", "registry.example.test/shop:1.0"),),
        landed=True,
        url=URL,
        reason="#141 failed: step test of workflow build failed with exit code 3",
        hint="see the log: homelab ci logs",
        took=224.1234,
    ),
)


@dataclass
class Page:
    """Where a view writes to."""

    stdout: list[str] = field(default_factory=list)
    stderr: list[str] = field(default_factory=list)

    def out(self, line: str) -> None:
        self.stdout.append(line)

    def err(self, line: str) -> None:
        self.stderr.append(line)
