"""What a tracked file wants to be run is agreed to first, and again when it changes."""

from __future__ import annotations

import os
import pty
import subprocess
from pathlib import Path

import pytest

from homelab_hooks.app.command_trust import TrustedCommands
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.simulators.repositories import Clone, ScratchRepositories
from tests.cli.shell import PROGRAMS, Shell
from tests.support.terminal_reading import read_to_end
from tests.waiting import HANG_S
from tools.fuzz.texts import harmful

LAND = ("git-land", "--output", "plain", "--no-ci-watch")


def test_only_what_was_agreed_to_is_known(tmp_path: Path) -> None:
    agreed = TrustedCommands(tmp_path / "homelab")
    assert "make test" not in agreed
    agreed.add("make test")
    agreed.add("make check")
    assert "make test" in agreed
    assert "make check" in agreed
    assert "make tes" not in agreed
    assert (tmp_path / "homelab" / "trusted").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("damage", ["", "{", '["make test"]', "1", "\xff", '"make tes'])
def test_a_damaged_line_approves_nothing_and_the_others_stay(tmp_path: Path, damage: str) -> None:
    trusted = TrustedCommands(tmp_path)
    trusted.add("make check\nrm x")
    with (tmp_path / "trusted").open("a", encoding="latin-1") as file:
        file.write(damage + "\n")
    trusted.add("caf\u00e9")
    assert trusted.commands() == ("make check\nrm x", "caf\u00e9")


@pytest.mark.slow
def test_a_command_whose_approval_is_revoked_is_asked_about_again(shell: Shell, ann: Clone) -> None:
    nothing = shell("homelab", "trust", "list", "--output", "plain")
    assert (nothing.code, nothing.result["verdict"]) == (0, "nothing")
    typed(shell, "yes")
    listed = shell("homelab", "trust", "list", "--output", "plain")
    assert (listed.code, listed.result["verdict"]) == (0, "ok")
    assert "echo ran >>../ran" in listed.err
    revoked = shell("homelab", "trust", "revoke", "echo ran >>../ran", "--output", "plain")
    assert (revoked.code, revoked.result["verdict"]) == (0, "ok")
    (ann.path.parent / "ran").unlink()
    ann.commit("again")
    assert shell(*LAND).code == ExitCode.REFUSED
    assert not ran(ann)
    again = shell("homelab", "trust", "revoke", "echo ran >>../ran", "--output", "plain")
    assert (again.code, again.result["verdict"]) == (0, "nothing")


@pytest.mark.parametrize("argv", [(), ("make", "--all")], ids=["neither", "both"])
def test_revoke_needs_one_command_or_all(shell: Shell, argv: tuple[str, ...]) -> None:
    assert shell("homelab", "trust", "revoke", *argv).code == ExitCode.USAGE


def test_all_approvals_are_revoked_and_each_is_named(shell: Shell, ann: Clone) -> None:
    trusted = TrustedCommands(ann.path / ".git" / "homelab")
    trusted.add("make test")
    trusted.add("make check\nrm x")
    done = shell("homelab", "trust", "revoke", "--all", "--output", "plain")
    assert (done.code, done.result["verdict"]) == (0, "ok")
    assert "no longer approved: make check \u23ce rm x" in done.err
    assert trusted.commands() == ()


@pytest.fixture
def ann(workshop: ScratchRepositories) -> Clone:
    clone = workshop.clone("ann", branch="topic")
    clone.commit(".homelab.toml", 'verify = "echo ran >>../ran"\n')
    return clone


@pytest.fixture
def shell(seal: dict[str, str], ann: Clone) -> Shell:
    return Shell(seal, ann.path)


def ran(ann: Clone) -> bool:
    return (ann.path.parent / "ran").exists()


def typed(shell: Shell, answer: str, *options: str) -> tuple[int, str]:
    """Run `git land` on a terminal, and type an answer."""
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        [str(PROGRAMS / LAND[0]), *LAND[1:], *options],
        cwd=shell.directory, env=shell.environ, stdin=theirs, stdout=subprocess.PIPE, stderr=theirs,
        start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    os.write(ours, f"{answer}\n".encode())
    said = read_to_end(ours)
    child.communicate(timeout=HANG_S)
    os.close(ours)
    return child.returncode, said.decode()


@pytest.mark.slow
def test_without_a_terminal_it_is_refused_and_not_run(shell: Shell, ann: Clone, workshop: ScratchRepositories) -> None:
    before = workshop.server_commit()
    done = shell(*LAND)
    assert (done.code, done.result["landed"]) == (20, "no")
    assert ".homelab.toml sets verify = `echo ran >>../ran`, which has not been approved" in done.err
    assert "git config homelab.verify" in done.err
    assert not ran(ann)
    assert workshop.server_commit() == before


@pytest.mark.slow
@pytest.mark.parametrize("answer", ["", "n", "maybe"])
def test_without_a_yes_nothing_is_run(shell: Shell, ann: Clone, answer: str) -> None:
    code, said = typed(shell, answer)
    assert code == 20
    assert "Approve this command and run it? [y/N]" in said
    assert not ran(ann)


@pytest.mark.slow
def test_what_is_asked_about_is_shown_whole_and_does_nothing(shell: Shell, ann: Clone) -> None:
    """A command could hide its end behind what acts on a terminal."""
    ann.commit(".homelab.toml", 'verify = "echo ran >>../ran #\\u001b[9D\\u202e\\u001b]0;x\\u0007\\ntrue"\n')
    code, said = typed(shell, "n")
    assert code == 20
    assert "sets verify = `echo ran >>../ran # ⏎ true`. " in said
    assert not any(harmful(line) for line in said.split("\r\n"))
    assert not ran(ann)


@pytest.mark.slow
def test_a_yes_holds_for_this_command_and_no_other(shell: Shell, ann: Clone) -> None:
    assert typed(shell, "y")[0] == 0
    assert ran(ann)
    ann.commit("b")
    assert shell(*LAND).code == 0, "it is not asked about again"
    ann.commit(".homelab.toml", 'verify = "echo other >>../ran"\n')
    assert shell(*LAND).code == 20, "a change is"


@pytest.mark.slow
def test_the_users_own_word_needs_no_question(shell: Shell, ann: Clone) -> None:
    assert shell(*LAND, HOMELAB_VERIFY="true").code == 0
    ann.commit("b")
    assert shell(*LAND, "--verify-cmd", "true").code == 0
    ann.commit("c")
    ann.git("config", "homelab.verify", "true")
    assert shell(*LAND).code == 0
    assert not ran(ann)


@pytest.mark.slow
def test_a_rehearsal_and_the_doctor_say_that_it_would_be_asked(shell: Shell, ann: Clone) -> None:
    assert "git land would ask" in shell(*LAND, "--dry-run").err
    assert "from .homelab.toml has not been approved" in shell("homelab", "doctor").err
    assert not ran(ann)


@pytest.mark.slow
def test_without_verification_nothing_is_asked(shell: Shell, ann: Clone) -> None:
    assert shell(*LAND, "--no-verify").code == 0
    assert not ran(ann)


@pytest.mark.slow
def test_a_landing_that_is_resumed_reads_the_setting_again_and_keeps_the_option(shell: Shell, ann: Clone) -> None:
    """Each command is named with its source; a command that a tracked file sets meanwhile must be approved first."""
    (ann.path / ".homelab.toml").unlink()
    ann.git("rm", "--quiet", "--cached", ".homelab.toml")
    ann.git("commit", "--quiet", "-m", "without")
    ann.git("config", "homelab.verify", "echo now; false")
    assert shell(*LAND).code == 22
    ann.git("config", "homelab.verify", "echo later")
    done = shell(*LAND, "--continue")
    assert (done.code, "verifying with `echo later` (from git config homelab.verify (local))" in done.err) == (
        0,
        True,
    ), done

    ann.commit("b")
    assert shell(*LAND, "--verify-cmd", "test -e ../good").code == 22
    assert shell(*LAND, "--continue").code == 22, "the option is kept"
    (ann.path.parent / "good").touch()
    done = shell(*LAND, "--continue")
    assert (done.code, "verifying with `test -e ../good` (from option --verify-cmd)" in done.err) == (0, True), done

    ann.commit("c")
    ann.git("config", "homelab.verify", "false")
    assert shell(*LAND).code == 22
    ann.git("config", "--unset", "homelab.verify")
    ann.commit(".homelab.toml", 'verify = "echo foreign >>../ran"\n')
    assert shell(*LAND, "--continue").code == 20
    assert not ran(ann)
    assert shell(*LAND, "--continue", "--no-verify").code == 0, "what is given again wins"


@pytest.mark.slow
def test_a_live_url_of_a_tracked_file_is_requested_only_after_its_approval(
    shell: Shell, ann: Clone, workshop: ScratchRepositories
) -> None:
    """Also if only its query, which is not printed or saved, has changed."""
    before = workshop.server_commit()
    ann.commit(".homelab.toml", 'follow = ["live:http://127.0.0.1:9/version?key=1#commit"]\n')
    refused = shell("homelab", "follow", "--output", "plain")
    assert (refused.code, refused.result["verdict"]) == (ExitCode.REFUSED, "refused")
    approved = refused.err.partition(".homelab.toml follows `")[2].partition("`, which has not been approved")[0]
    assert approved.startswith("live:http://127.0.0.1:9/version#commit (query ")
    assert "key=1" not in refused.err
    landing = shell("git-land", "--output", "plain", "--verify-cmd", "true")
    assert (landing.code, landing.result["landed"], workshop.server_commit()) == (ExitCode.REFUSED, "no", before)
    assert shell("git-land", "--output", "plain", "--abort").err.count("has not been approved") == 0

    TrustedCommands(ann.path / ".git" / "homelab").add(approved)
    assert shell("homelab", "follow", "--rollout-timeout", "0", "--output", "plain").code == 9  # it was asked
    ann.commit(".homelab.toml", 'follow = ["live:http://127.0.0.1:9/version?key=2#commit"]\n')
    assert shell("homelab", "follow", "--rollout-timeout", "0", "--output", "plain").code == ExitCode.REFUSED
    own = ("--follow", "live:http://127.0.0.1:9/version?key=2#commit")
    assert shell("homelab", "follow", "--rollout-timeout", "0", "--output", "plain", *own).code == 9
