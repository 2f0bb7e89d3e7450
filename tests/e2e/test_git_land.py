"""The real `git land` as a person or a script starts it: signals, output, tokens, hooks and the lock."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.simulators.faults import BodyFault, Cut, FaultPoint, FaultRule, StatusFault
from homelab_hooks.simulators.repositories import Clone, ScratchRepositories
from homelab_hooks.simulators.woodpecker.server import WoodpeckerSimulator
from homelab_hooks.system.clock import SystemClock
from tests.cli.shell import CommandResult, Shell
from tests.waiting import FOREVER, HANG_S, wait_until

pytestmark = pytest.mark.slow

TOKEN = "alice-token"
OURS = {"WOODPECKER_TOKEN", "WP_TOKEN", "VAULT_TOKEN"}


@pytest.fixture
def shell(seal: dict[str, str], ann: Clone) -> Shell:
    """In Ann's clone, without CI."""
    return Shell(seal, ann.path)


@pytest.fixture
def watched(seal: dict[str, str], ann: Clone) -> Iterator[Shell]:
    """In Ann's clone, with a CI that knows her and the repository."""
    with WoodpeckerSimulator(SystemClock(), speed=50) as woodpecker:
        settings = {"WOODPECKER_SERVER": woodpecker.url, "WOODPECKER_TOKEN": TOKEN, "HOMELAB_CI_REPO": "acme/app"}
        yield Shell(seal, ann.path, settings)


def test_the_preflight_rides_out_single_bad_answers(seal: dict[str, str], ann: Clone) -> None:
    """A 502, an empty body, a web page, and a reset, one after the other, then good ones."""
    bad = (
        FaultRule(fault=StatusFault(code=502), path="/api/user", first=0, last=0),
        FaultRule(fault=BodyFault(), path="/api/user", first=1, last=1),
        FaultRule(fault=BodyFault(content=b"<html>", content_type="text/html", foreign=True), path="lookup", last=0),
        FaultRule(fault=Cut(FaultPoint.HEADERS), path="lookup", first=1, last=1),
    )
    with WoodpeckerSimulator(SystemClock(), speed=50) as woodpecker:
        woodpecker.fail(*bad)
        settings = {"WOODPECKER_SERVER": woodpecker.url, "WOODPECKER_TOKEN": TOKEN, "HOMELAB_CI_REPO": "acme/app"}
        shell = Shell(seal, ann.path, settings)
        done = shell("git-land", "--verify-cmd", "true", "--appear-timeout", "0", "--no-deploy")
        asked = [woodpecker.count("/api/user"), woodpecker.count("lookup")]
    assert (done.code, done.result["landed"]) == (ExitCode.NO_PIPELINE, "yes"), done
    assert min(asked) >= 3


def land(shell: Shell, *options: str, verify: str = "true") -> CommandResult:
    """`git land` without CI."""
    return shell("git-land", "--output", "plain", "--no-ci-watch", "--verify-cmd", verify, *options)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_while_verifying_ends_all_that_the_verification_started(
    shell: Shell, ann: Clone, workshop: ScratchRepositories, number: signal.Signals, code: int
) -> None:
    """A grandchild that lived on would hold the pipe open, and the branch would not be given back."""
    start, before = ann.head, workshop.server_commit()
    os.mkfifo(workshop.folder / "pipe")
    reader = os.open(workshop.folder / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    verify = f"exec 9>../pipe; (sh -c '{FOREVER}' & wait) & echo begun; wait"
    with shell.start("git-land", "--output", "plain", "--no-ci-watch", "--verify-cmd", verify) as child:
        assert child.stderr is not None
        assert any(line.split()[-1:] == [b"begun"] for line in child.stderr), "its output streams"
        os.killpg(child.pid, number)
        out, err = child.communicate(timeout=HANG_S)
    os.set_blocking(reader, True)
    assert os.read(reader, 1) == b"", "no process holds the pipe"
    os.close(reader)
    assert f" exit={code} " in out.decode()
    assert b"landed=no" in out
    assert b"git land --continue" in err
    assert workshop.server_commit() == before
    back = shell("git-land", "--abort", "--no-ci-watch")
    assert (back.code, back.result["landed"], ann.head) == (0, "no", start)


@pytest.fixture
def deadly_git(tmp_path: Path) -> Path:
    """A folder with a git that ends who calls it, the first time."""
    real, once = shutil.which("git"), tmp_path / "once"
    git = tmp_path / "git"
    wait = "while kill -0 $PPID 2>/dev/null; do sleep 0.02; done"
    script = f"[ -e {once} ] || {{ : >{once}; kill -TERM $PPID; {wait}; }}"
    git.write_text(f'#!/bin/sh\n{script}\nexec {real} "$@"\n')
    git.chmod(0o755)
    return tmp_path


def test_a_signal_before_anything_was_looked_at_says_that_nothing_landed(
    shell: Shell, workshop: ScratchRepositories, deadly_git: Path
) -> None:
    """The settings are read with git, long before the landing begins."""
    before = workshop.server_commit()
    done = shell("git-land", PATH=f"{deadly_git}:{shell.environ['PATH']}")
    assert (done.code, done.result["verdict"], done.result["landed"]) == (143, "interrupted", "no"), done
    assert workshop.server_commit() == before


def test_a_signal_in_a_new_landing_does_not_tell_what_became_of_the_one_before(
    watched: Shell, ann: Clone, workshop: ScratchRepositories, deadly_git: Path
) -> None:
    """Cut short in its post-push stage, the one before is still written down as landed."""
    first = ann.head
    hook = workshop.write_hook("post-push", f"echo begun; {FOREVER}", where=ann.path / ".git/hooks")
    with watched.start("git-land", "--output", "plain", "--verify-cmd", "true") as child:
        assert child.stderr is not None
        assert any(line.split()[-1:] == [b"begun"] for line in child.stderr)
        os.killpg(child.pid, signal.SIGTERM)
        out, _ = child.communicate(timeout=HANG_S)
    assert f" sha={first} landed=yes ".encode() in out
    hook.unlink()
    second = ann.commit("b")
    done = watched("git-land", "--no-verify", PATH=f"{deadly_git}:{watched.environ['PATH']}")
    assert (done.code, done.result["sha"], done.result["landed"]) == (143, second, "no"), done
    assert workshop.server_commit() == first
    assert land(watched).code == 0


@pytest.mark.parametrize(
    "case",
    [
        ("ann", "touch {begun}; exec {forever}", "no"),
        ("ann", "mv {server} {server}.gone; touch {begun}; exec {forever}", None),
        ("server", "touch {begun}; exec {forever}", "yes"),
    ],
    ids=["held up here", "the server is away", "held up there"],
)
def test_a_signal_while_pushing_is_answered_by_asking_the_server(
    shell: Shell, ann: Clone, workshop: ScratchRepositories, case: tuple[str, str, str | None]
) -> None:
    """In short, without what cannot be known."""
    where, hook, landed = case
    before = workshop.server_commit()
    here = workshop.write_hook(
        "pre-push" if where == "ann" else "post-receive",
        hook.format(begun=ann.path.parent / "begun", server=workshop.bare_path, forever=FOREVER),
        where=ann.path / ".git/hooks" if where == "ann" else workshop.bare_path / "hooks",
    )
    with shell.start("git-land", "--output", "plain", "--no-ci-watch", "--no-verify") as child:
        assert child.stderr is not None
        wait_until((ann.path.parent / "begun").exists)
        os.killpg(child.pid, signal.SIGINT)
        out, err = child.communicate(timeout=HANG_S)
    assert b" exit=130 " in out
    assert (b"landed=" in out) is (landed is not None), out + err
    if landed is None:
        assert b"unknown whether" in err
        (workshop.bare_path.parent / (workshop.bare_path.name + ".gone")).rename(workshop.bare_path)
    else:
        assert f" landed={landed} ".encode() in out, out + err
    assert (workshop.server_commit() == ann.head) is (landed == "yes")
    assert (workshop.server_commit() == before) is (landed != "yes")
    if landed == "yes":
        assert b"hint: " not in err, "there is nothing to resume where nothing is watched"
    here.unlink()
    assert shell("git-land", "--abort", "--no-ci-watch").result["landed"] == (landed or "no")


def test_the_verification_sees_neither_our_tokens_nor_what_git_set_for_us(shell: Shell) -> None:
    """Started through git, as `git land`, which sets variables of its own for us."""
    secrets = {"WOODPECKER_TOKEN": "t0ken-1", "WP_TOKEN": "t0ken-2", "VAULT_TOKEN": "t0ken-3"}
    known = Shell(shell.environ, shell.directory, {**secrets, "GIT_DIR": str(shell.directory / ".git")})
    done = land(known, verify="env | sort")
    assert done.code == 0, done.err
    assert "t0ken" not in done.out + done.err
    seen = {line.split("=")[0].split()[-1] for line in done.err.splitlines() if "=" in line}
    assert "GIT_AUTHOR_DATE" in seen, "what the user set himself stays"
    assert not seen & OURS
    assert not seen & {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_EDITOR", "GIT_SEQUENCE_EDITOR"}
    assert "HOMELAB_IN_LAND=1" in done.err


def test_the_verifications_output_is_progress_and_the_result_is_alone_on_stdout(shell: Shell, ann: Clone) -> None:
    done = land(shell, verify="echo to-stdout; echo to-stderr >&2")
    assert done.lines == [done.out.strip()]
    assert done.result["sha"] == ann.head
    assert "to-stdout" in done.err
    assert "to-stderr" in done.err


def test_the_repositorys_post_push_hook_keeps_our_tokens_and_speaks_on_stderr(
    watched: Shell, ann: Clone, workshop: ScratchRepositories
) -> None:
    """It watches, so it needs them; what it prints goes through the same cleaning as all from outside."""
    script = 'read -r line; echo "token ${#WOODPECKER_TOKEN} $1 $line"; printf "\\033[2Jgone\\n"; exit 6'
    workshop.write_hook("post-push", script, where=ann.path / ".git/hooks")
    before = workshop.server_commit()
    done = watched("git-land", "--output", "plain", "--verify-cmd", "true")
    assert (done.code, done.result["verdict"], done.result["landed"]) == (6, "superseded", "yes")
    assert f"token {len(TOKEN)} origin {ann.head} {ann.head} refs/heads/main {before}" in done.err
    assert "\x1b" not in done.err
    assert len(done.lines) == 1


def test_defect_13_a_landing_is_reported_in_json_with_its_result_last(shell: Shell, ann: Clone) -> None:
    """Defect 13: no JSON, no codes of its own, no word for scripts."""
    done = shell("git-land", "--output", "json", "--no-ci-watch", "--verify-cmd", "exit 1")
    told = [json.loads(line) for line in done.lines]
    assert (done.code, told[-1]["event"], told[-1]["verdict"]) == (22, "result", "verify-failed")
    assert (told[-1]["landed"], told[-1]["sha"]) == (False, ann.head)
    stages = [event["stage"] for event in told if event["event"] == "stage"]
    assert list(dict.fromkeys(stages)) == ["preflight", "fetch", "merge", "verify"]


def test_defect_14_a_landing_changes_no_upstream(shell: Shell, ann: Clone) -> None:
    """Defect 14: `push -u` made the next bare push go elsewhere."""
    ann.git("config", "push.autoSetupRemote", "true")
    assert land(shell).code == 0
    assert ann.git("for-each-ref", "--format=%(upstream)", "refs/heads/topic") == ""


@pytest.mark.parametrize(
    "options",
    [
        ["--verify-cmd", "--no-verify"], ["--verify-cmd"], ["--noci-watch"], ["--no-verify", "--verify-cmd", "true"],
        ["--strategy", "squash"], ["--continue", "--abort"], ["elsewhere"], ["--timeout", "soon"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_defect_15_an_argument_that_means_nothing_is_an_error_and_lands_nothing(
    shell: Shell, workshop: ScratchRepositories, options: list[str]
) -> None:
    """Defect 15: `--verify-cmd --no-verify` took the option for the command, and a mistyped one was overlooked."""
    before = workshop.server_commit()
    done = shell("git-land", "--output", "plain", *options)
    assert (done.code, done.result["verdict"], workshop.server_commit()) == (ExitCode.USAGE, "usage", before)


def test_defect_15_an_empty_command_verifies_nothing_and_is_refused(
    shell: Shell, workshop: ScratchRepositories
) -> None:
    """Defect 15: an empty `--verify-cmd=` fell back to another command without a word."""
    before = workshop.server_commit()
    done = shell("git-land", "--output", "plain", "--no-ci-watch", "--verify-cmd=")
    assert done.code in {ExitCode.USAGE, ExitCode.REFUSED}
    assert workshop.server_commit() == before


@pytest.mark.parametrize("target", ["shop/job/web", "shop/we b", "-shop/web", "a/b/c/d"])
def test_a_malformed_deploy_target_is_a_usage_error_before_the_push(
    shell: Shell, ann: Clone, workshop: ScratchRepositories, target: str
) -> None:
    """It was found only after the push, and reported as an unreachable cluster (8)."""
    ann.commit("more")
    before = workshop.server_commit()
    done = land(shell, f"--deploy={target}")
    assert (done.code, done.result["landed"]) == (ExitCode.USAGE, "no")
    assert workshop.server_commit() == before


@pytest.mark.parametrize(
    "link", ["ci:nonsense", "mirror:nowhere", "actions:nowhere", "status:nowhere:x", "deploy:a/b/c"]
)
def test_a_link_that_can_never_begin_is_a_usage_error_before_the_push(
    watched: Shell, ann: Clone, workshop: ScratchRepositories, link: str
) -> None:
    ann.commit("more")
    before = workshop.server_commit()
    done = watched("git-land", "--output", "plain", "--no-verify", "--follow", link)
    assert (done.code, done.result["landed"]) == (ExitCode.USAGE, "no"), done
    assert workshop.server_commit() == before


def test_an_error_before_a_landing_is_continued_says_whether_it_has_landed(
    watched: Shell, ann: Clone, workshop: ScratchRepositories
) -> None:
    sha = ann.commit("more")
    workshop.write_hook("post-push", "kill -9 $PPID", where=ann.path / ".git/hooks")
    assert watched("git-land", "--output", "plain", "--verify-cmd", "true").code < 0
    assert workshop.server_commit() == sha
    ann.git("config", "homelab.timeout", "soon")
    for option in ("--continue", "--abort"):
        done = watched("git-land", "--output", "plain", option)
        assert (done.code, done.result["landed"]) == (ExitCode.USAGE, "yes")
    ann.git("config", "--unset", "homelab.timeout")
    assert watched("git-land", "--output", "plain", "--abort").code == 0


def test_a_second_landing_names_the_process_the_machine_and_the_branch_of_the_first(
    shell: Shell, ann: Clone, workshop: ScratchRepositories
) -> None:
    """From a linked worktree of the same repository; two landings of one repository never push at once."""
    ann.git("worktree", "add", "--quiet", "-b", "other", "../other")
    other = Clone(workshop.folder / "other", workshop.environ)
    other.commit("o")
    os.mkfifo(workshop.folder / "gate")
    wait = "echo verifying; cat ../gate"
    with shell.start("git-land", "--output", "plain", "--no-ci-watch", "--verify-cmd", wait) as first:
        assert first.stderr is not None
        assert any(line.split()[-1:] == [b"verifying"] for line in first.stderr)
        second = land(Shell(shell.environ, other.path))
        rehearsed = land(Shell(shell.environ, other.path), "--dry-run")
        (workshop.folder / "gate").write_text("go\n")
        out, _ = first.communicate(timeout=HANG_S)
    for done in (second, rehearsed):
        assert (done.code, done.result["landed"]) == (ExitCode.REFUSED, "no")
        assert f"process {first.pid} on {os.uname().nodename}, landing topic in {ann.path}" in done.err
    assert b"landed=yes" in out
    assert land(Shell(shell.environ, other.path)).result["landed"] == "yes"


def test_while_the_first_landing_only_watches_the_next_one_may_land(
    watched: Shell, ann: Clone, workshop: ScratchRepositories
) -> None:
    """The lock is given back once the commit is certain: watching may take an hour and needs no lock."""
    os.mkfifo(workshop.folder / "gate")
    workshop.write_hook("post-push", "echo watching; cat ../gate", where=ann.path / ".git/hooks")
    ann.git("worktree", "add", "--quiet", "-b", "other", "../other")
    other = Clone(workshop.folder / "other", workshop.environ)
    other.commit("o")
    with watched.start("git-land", "--output", "plain", "--verify-cmd", "true") as first:
        assert first.stderr is not None
        assert any(line.split()[-1:] == [b"watching"] for line in first.stderr)
        second = land(Shell(watched.environ, other.path))
        Path(workshop.folder / "gate").write_text("go\n")
        out, _ = first.communicate(timeout=HANG_S)
    assert second.result["landed"] == "yes"
    assert b"landed=yes" in out
