"""Man pages and completions from an installed wheel, with the real man, git and shells."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from homelab_hooks.cli.verbs import COMMANDS, GROUPS
from homelab_hooks.config.schema import SETTINGS
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.simulators.repositories import Clone, ScratchRepositories
from tests.wheel.conftest import Installed

pytestmark = pytest.mark.slow

GIT_COMPLETION = Path("/usr/share/bash-completion/completions/git")


def needs(program: str) -> str:
    found = shutil.which(program)
    if not found:
        pytest.skip(f"there is no {program} here")
    return found


@pytest.fixture
def spied(installed: Installed, tmp_path: Path) -> tuple[Installed, Path]:
    """The same with every program that would start Python replaced by one that tells on it."""
    told = tmp_path / "told"
    folder = tmp_path / "spies"
    folder.mkdir()
    for name in ("python", "python3", "homelab", "homelab-watch", "git-land"):
        (folder / name).write_text(f"#!/bin/sh\necho {name} >>{told}\n")
        (folder / name).chmod(0o755)
    return Installed(installed.prefix, {**installed.environ, "PATH": f"{folder}:{installed.environ['PATH']}"}), told


def test_git_land_help_opens_the_man_page(installed: Installed) -> None:
    needs("man")
    done = installed.run("git", "land", "--help")
    assert done.ok, done.err
    text = re.sub(r"\x1b\[[0-9;]*m|.\x08", "", done.out)
    assert "git-land - merge, verify, push, watch CI, and wait for the rollout" in text
    assert "--continue" in text
    assert "landed" in text
    for code in ExitCode:
        assert re.search(rf"^\s+{int(code)}\s+{code.verdict}:", text, re.MULTILINE)


@pytest.mark.parametrize(
    "page", ["git-land", "homelab-watch", "homelab", *(f"homelab-{group}" for group in GROUPS if group)]
)
def test_man_finds_each_page_and_has_nothing_to_complain_of(installed: Installed, page: str) -> None:
    needs("man")
    done = installed.run("man", "--warnings", page)
    assert done.ok, done.err
    assert done.err == ""
    text = re.sub(r"\x1b\[[0-9;]*m|.\x08", "", done.out)
    for head in (
        "NAME",
        "SYNOPSIS",
        "DESCRIPTION",
        "EXIT STATUS",
        "ENVIRONMENT",
        "CONFIGURATION",
        "EXAMPLES",
        "SEE ALSO",
    ):
        assert re.search(rf"^{head}$", text, re.MULTILINE), head
    for setting in SETTINGS:
        assert not setting.git or setting.git in text
    if page == "homelab":
        for verb in COMMANDS:
            assert verb.hidden or verb.words[0] in text
    for verb in COMMANDS:
        if page == f"homelab-{verb.words[0]}" and not verb.hidden:
            assert f"usage: homelab {' '.join(verb.words)} [OPTION ...]" in " ".join(text.split())
    assert "usage: homelab ci [" not in text


BASH = r"""
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}
function=$(complete -p "$1" | sed 's/.*-F \([^ ]*\) .*/\1/')
$function "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
printf '%s\n' "${COMPREPLY[@]}"
"""

# The words that are completed, and some of what is offered.
WORDS = [
    (("homelab", ""), ("ci", "deploy", "work", "doctor", "demo")),
    (("homelab", "ci", ""), ("watch", "status", "logs", "restart")),
    (("homelab", "ci", "watch", "--"), ("--timeout", "--event", "--server")),
    (("git-land", "--"), ("--continue", "--abort", "--dry-run", "--onto")),
    (("git-land", "--strategy", ""), ("merge", "rebase", "ff-only")),
    (("homelab-watch", ""), ("topic", "main")),
    (("git-land", "--output", ""), ("auto", "live", "plain", "json")),
    (("git-land", "--remote", ""), ("origin",)),
    (("git-land", "--follow", ""), ("ci", "mirror:", "actions")),
    (("homelab", "demo", ""), ("green", "red", "chain")),
    (("homelab", "deploy", "wait", ""), ("shop/web",)),
    (("homelab", "work", "clean", ""), ("fix-typo",)),
]
KINDS = (("homelab", "deploy", "wait", "blog/"), ("blog/deployment/", "blog/cronjob/"))


def clone_with_known_values(workshop: ScratchRepositories) -> Clone:
    """A clone with a branch, a configured target, and a worktree of a topic."""
    clone = workshop.clone("ann", branch="topic")
    clone.git("config", "homelab.deploy", "shop/web")
    clone.git("worktree", "add", "-q", "-b", "ann/fix-typo", ".worktrees/fix-typo")
    return clone


@pytest.mark.parametrize(("words", "offered"), [*WORDS, KINDS], ids=["_".join(words) for words, _ in [*WORDS, KINDS]])
def test_bash_completes(
    spied: tuple[Installed, Path], workshop: ScratchRepositories, words: tuple[str, ...], offered: tuple[str, ...]
) -> None:
    place, told = spied
    clone = clone_with_known_values(workshop)
    script = place.share(f"bash-completion/completions/{words[0]}")
    done = place.run("bash", "--norc", "-c", BASH, "bash", str(script), *words, at=clone.path)
    assert set(offered) <= set(done.out.split()), (done.out, done.err)
    assert not told.exists(), "a TAB starts no Python"


@pytest.mark.parametrize("program", ["homelab", "homelab-watch", "git-land"])
def test_the_printed_script_completes_each_program(
    installed: Installed, workshop: ScratchRepositories, program: str
) -> None:
    done = installed.run("homelab", "completion", "bash")
    assert done.ok, done.err
    script = workshop.folder / "printed"
    script.write_bytes(done.stdout)
    offered = installed.run(
        "bash", "--norc", "-c", BASH, "bash", str(script), program, "--", at=workshop.clone("a").path
    )
    assert "--help" in offered.out.split(), (offered.out, offered.err)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_after_the_printed_script_git_land_help_finds_the_page_wherever_the_programs_are_linked(
    installed: Installed, tmp_path: Path, shell: str
) -> None:
    """As after `uv tool install`: the programs are links in a folder beside which there are no man pages."""
    program, links = needs(shell), tmp_path / "bin"
    links.mkdir()
    for name in ("homelab", "git-land"):
        (links / name).symlink_to(installed.prefix / "bin" / name)
    apart = Installed(
        installed.prefix,
        {**installed.environ, "PATH": installed.environ["PATH"].replace(str(installed.prefix / "bin"), str(links))},
    )
    assert not apart.run("git", "land", "--help").ok
    printed, status = apart.run("homelab", "completion", shell).out, "$status" if shell == "fish" else "$?"
    twice = f"{printed}\necho status={status}\n{printed}\ngit land --help; man git-init; echo $MANPATH"
    done = apart.run(program, *([] if shell == "fish" else ["-f"] if shell == "zsh" else ["--norc"]), stdin=twice)
    assert "git-land - merge, verify, push" in re.sub(r"\x1b\[[0-9;]*m|.\x08", "", done.out), done.err
    assert "status=0" in done.out.splitlines()
    assert done.out.splitlines()[-1].count("/share/man") == 1
    assert "not found" not in done.err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_accepts_the_printed_script(installed: Installed, shell: str) -> None:
    program = needs(shell)
    done = installed.run("homelab", "completion", shell)
    assert done.ok, done.err
    assert installed.run(program, "-n", "/dev/stdin", stdin=done.out).ok


def test_bash_completes_git_land_by_gits_own_completion(
    spied: tuple[Installed, Path], workshop: ScratchRepositories
) -> None:
    if not GIT_COMPLETION.exists():
        pytest.skip("git's own completion for bash is not installed")
    place, told = spied
    script = f"""
    source {GIT_COMPLETION}; source {place.share("bash-completion/completions/git-land")}
    COMP_WORDS=(git land --ab); COMP_CWORD=2; COMP_LINE='git land --ab'; COMP_POINT=13
    __git_wrap__git_main; printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = place.run("bash", "--norc", "-c", script, at=workshop.clone("ann").path)
    assert done.out.split() == ["--abort"], done.err
    assert not told.exists()


ZSH = r"""
zmodload zsh/zpty
zpty terminal zsh -f -i
zpty -w terminal "PS1=; unsetopt zle_bracketed_paste; $1"
zpty -w terminal "LISTMAX=1000; stty rows 80; PS1='rea''dy> '"
zpty -r terminal seen '*ready> *'
zpty -w -n terminal "$2"$'\t\t'
zpty -w terminal $'\C-u'"print DO''NE"
zpty -r terminal seen '*DONE*'
print -r -- "$seen"
zpty -d terminal
"""


def load_from(place: Installed) -> str:
    """The zsh commands that load the installed completions."""
    return f"fpath=({place.share('zsh/site-functions')} $fpath); autoload -Uz compinit; compinit -u -D"


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("homelab ci ", ("watch", "status", "restart")),
        ("git-land --", ("--continue", "--abort")),
        ("git land --strategy ", ("rebase", "ff-only")),
    ],
)
def test_zsh_completes(
    spied: tuple[Installed, Path], workshop: ScratchRepositories, line: str, offered: tuple[str, ...]
) -> None:
    zsh, (place, told) = needs("zsh"), spied
    done = place.run(zsh, "-f", "-c", ZSH, "zsh", load_from(place), line, at=workshop.clone("ann").path)
    for word in offered:
        assert word in done.out, (done.out, done.err)
    assert not told.exists()


@pytest.mark.parametrize(("words", "offered"), WORDS, ids=["_".join(words) for words, _ in WORDS])
def test_fish_completes(
    spied: tuple[Installed, Path], workshop: ScratchRepositories, words: tuple[str, ...], offered: tuple[str, ...]
) -> None:
    fish, (place, told) = needs("fish"), spied
    clone = clone_with_known_values(workshop)
    script = f"set -p fish_complete_path {place.share('fish/vendor_completions.d')}; complete -C '{' '.join(words)}'"
    done = place.run(fish, "--no-config", "-c", script, at=clone.path)
    assert set(offered) <= {line.split("\t")[0] for line in done.out.splitlines()}, (done.out, done.err)
    assert not told.exists()


# What follows `git `, and what the printed script offers there.
GIT_LINES = [("la", "land"), ("land --ab", "--abort"), ("land --strategy ff", "ff-only"), ("land --onto to", "topic")]


def printed_script(installed: Installed, shell: str, folder: Path) -> Path:
    """A file with what `homelab completion` prints for a shell."""
    script = folder / "printed"
    script.write_bytes(installed.run("homelab", "completion", shell).stdout)
    return script


@pytest.mark.parametrize(("typed", "offered"), GIT_LINES)
def test_zsh_completes_git_land_after_the_printed_script(
    installed: Installed, spied: tuple[Installed, Path], workshop: ScratchRepositories, typed: str, offered: str
) -> None:
    zsh, (place, told) = needs("zsh"), spied
    script = printed_script(installed, "zsh", workshop.folder)
    clone = workshop.clone("ann", branch="topic")
    completed_and_printed = f"git {typed}\t\x01print -r -- +\r"
    done = place.run(zsh, "-f", "-c", ZSH, "zsh", f'eval "$(<{script})"', completed_and_printed, at=clone.path)
    printed = next((line for line in done.out.splitlines() if line.startswith("+git ")), "")
    assert printed.split()[-1:] == [offered], (done.out, done.err)
    assert not told.exists()


@pytest.mark.parametrize(("typed", "offered"), GIT_LINES)
def test_fish_completes_git_land_after_the_printed_script(
    installed: Installed, spied: tuple[Installed, Path], workshop: ScratchRepositories, typed: str, offered: str
) -> None:
    """The completions for git in fish 3.6.0 leave out the programs named git-*."""
    fish, (place, told) = needs("fish"), spied
    script = printed_script(installed, "fish", workshop.folder)
    clone = workshop.clone("ann", branch="topic")
    line = f"source {script}; or exit 3; complete -C 'git {typed}'"
    done = place.run(fish, "-c", line, at=clone.path)
    assert done.out.split("\t")[0].strip() == offered, (done.out, done.err)
    assert not told.exists()


@pytest.mark.parametrize("typed", ["", "$(touch${IFS}pwned)/", "a;touch${IFS}pwned/"])
def test_neither_a_configured_target_nor_a_typed_namespace_is_run_by_a_tab(
    spied: tuple[Installed, Path], workshop: ScratchRepositories, typed: str
) -> None:
    place, clone = spied[0], workshop.clone("ann")
    for name in ("$(touch${IFS}pwned)", "`touch${IFS}pwned`", "shop/web"):
        clone.git("config", "--add", "homelab.deploy", name)
    file = place.share("bash-completion/completions/homelab")
    done = place.run("bash", "--norc", "-c", BASH, "bash", str(file), "homelab", "deploy", "wait", typed, at=clone.path)
    assert done.out.split() == ([] if typed else ["shop/web"]), done.err
    assert not (clone.path / "pwned").exists()


@pytest.mark.parametrize("shell", ["bash", "fish", "zsh"])
def test_a_branch_whose_name_is_a_command_is_not_run_by_a_tab(
    spied: tuple[Installed, Path], workshop: ScratchRepositories, shell: str
) -> None:
    """Bash expands what a completion offers."""
    program, (place, _) = needs(shell), spied
    clone = workshop.clone("ann", branch="topic")
    for name in ("$(touch${IFS}pwned)", "`touch${IFS}pwned`", "x;touch${IFS}pwned"):
        clone.git("branch", name)
    if shell == "bash":
        file = place.share("bash-completion/completions/homelab-watch")
        done = place.run(program, "--norc", "-c", BASH, "bash", str(file), "homelab-watch", "", at=clone.path)
    elif shell == "fish":
        script = f"set -p fish_complete_path {place.share('fish/vendor_completions.d')}; complete -C 'homelab-watch '"
        done = place.run(program, "--no-config", "-c", script, at=clone.path)
    else:
        done = place.run(program, "-f", "-c", ZSH, "zsh", load_from(place), "homelab-watch ", at=clone.path)
    assert "topic" in done.out, (done.out, done.err)
    assert not (clone.path / "pwned").exists()
