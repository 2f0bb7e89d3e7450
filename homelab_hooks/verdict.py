"""The outcome of a watch, a landing, or a deploy wait, before it becomes the `Result` event."""

from __future__ import annotations

import shlex
from typing import Literal, NamedTuple, get_args

from homelab_hooks.events import DeployResult, LinkResult, Log, PipelineResult, RevertResult
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.text.sanitize import strip_control_chars

SuccessWord = Literal["passed", "deployed", "live", "landed", "skipped", "watching", "nothing", "ok"]
"""the verdicts of exit code 0; the verdict of another code is its name"""
SUCCESS_WORDS: tuple[SuccessWord, ...] = get_args(SuccessWord)
VERDICTS: tuple[str, ...] = (*SUCCESS_WORDS, *dict.fromkeys(code.verdict for code in ExitCode if code))
"""every verdict that a result can have"""
RESUMABLE_EXITS = frozenset({ExitCode.UNREACHABLE, ExitCode.TIMEOUT, ExitCode.INTERRUPTED, ExitCode.TERMINATED})
"""the exit codes of a command that did not end, so that it can be resumed"""
SAME_COMMAND_HINT = "to resume, run the same command again"
"""the hint of a wait that does not know its command line; the session names the command if there is one"""


def choose_verdict(exit_: ExitCode, label: str) -> str:
    """Return the verdict in the result: one of VERDICTS, whatever the label is.

    >>> [choose_verdict(ExitCode.OK, label) for label in ("passed", "fine")], choose_verdict(ExitCode.FAILED, "ok")
    (['passed', 'ok'], 'failed')
    """
    return exit_.verdict if exit_ is not ExitCode.OK else read_success_word(label) or exit_.verdict


def read_success_word(text: str) -> SuccessWord | Literal[""]:
    """Return the verdict of exit code 0 that the text is; empty if it is none.

    >>> read_success_word("passed"), read_success_word("timeout")
    ('passed', '')
    """
    return next((word for word in SUCCESS_WORDS if word == text), "")


def name_command(hint: str, command: str) -> str:
    """Return the hint with the resume command instead of "the same command", which may have a short timeout.

    >>> name_command(f"{SAME_COMMAND_HINT}; check the address", "homelab-watch 9f2c")
    'to resume, run: homelab-watch 9f2c; check the address'
    """
    return hint.replace(SAME_COMMAND_HINT, f"to resume, run: {command}") if command else hint


def build_resume_line(command: str) -> Log:
    """Return the log line that names the resume command; in JSON, also as a list of arguments.

    >>> build_resume_line("homelab follow 9f2c --repo 'a b'").resume
    ('homelab', 'follow', '9f2c', '--repo', 'a b')
    """
    text = strip_control_chars(f"to resume, run: {command}")
    return Log(source="homelab", text=text, resume=tuple(shlex.split(command)))


class Verdict(NamedTuple):
    """The exit code, with the observations that justify it."""

    exit: ExitCode
    reason: str = ""
    """what happened, in one sentence"""
    hint: str = ""
    """what to do, in one sentence"""
    resume: str = ""
    """the command that resumes, if it is not the one that the session knows"""
    label: SuccessWord | Literal[""] = ""
    """the verdict in the result line if it is not the exit code's name: passed, deployed, nothing"""
    sha: str = ""
    pipelines: tuple[PipelineResult, ...] = ()
    deploys: tuple[DeployResult, ...] = ()
    url: str = ""
    landed: bool | None = None
    link: str = ""
    """the link of the chain that decided"""
    links: tuple[LinkResult, ...] = ()
    """the receipt: every link of the chain in order"""
    proposed: str = ""
    """our own commit, if a pull request was merged"""
    tree: str = ""
    """`unverified` if the merged files differ from those that were checked"""
    before: str = ""
    """the target's commit before the push of `sha`; empty if nothing was pushed"""
    revert: RevertResult | None = None
