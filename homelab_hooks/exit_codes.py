"""The exit codes: one table for every command, and which of several is the worst."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum


class ExitCode(IntEnum):
    """What a command ends with (contract, section 3)."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NO_PIPELINE = 3
    DENIED = 4
    CANCELLED = 5
    SUPERSEDED = 6
    BLOCKED = 7
    UNREACHABLE = 8
    ROLLOUT_FAILED = 9
    ROLLOUT_UNPROVEN = 10
    REFUSED = 20
    CONFLICT = 21
    VERIFY_FAILED = 22
    PROTECTED = 23
    PUSH_FAILED = 24
    TIMEOUT = 124
    INTERRUPTED = 130
    TERMINATED = 143

    @property
    def verdict(self) -> str:
        """The word for it in the result line.

        >>> ExitCode.NO_PIPELINE.verdict, ExitCode.TERMINATED.verdict
        ('no-pipeline', 'interrupted')
        """
        return "interrupted" if self is ExitCode.TERMINATED else self.name.lower().replace("_", "-")


EXIT_MEANINGS: dict[ExitCode, str] = {
    ExitCode.OK: "all that was asked for happened and was seen to happen",
    ExitCode.FAILED: "CI decided against the commit: failure or error",
    ExitCode.USAGE: "wrong arguments or settings",
    ExitCode.NO_PIPELINE: "no pipeline appeared within the appear-timeout; the reason found is printed",
    ExitCode.DENIED: "token missing or refused, repository unknown to CI, or the address is not a Woodpecker server",
    ExitCode.CANCELLED: "killed, cancelled or declined by a person",
    ExitCode.SUPERSEDED: "a newer pipeline replaced it, and that one does not contain the commit",
    ExitCode.BLOCKED: "waits for an approval; the URL is printed",
    ExitCode.UNREACHABLE: "no usable answer for the whole unreachable-timeout",
    ExitCode.ROLLOUT_FAILED: "the new pods fail, or the progress deadline passed",
    ExitCode.ROLLOUT_UNPROVEN: "it cannot be shown that the workload runs this commit",
    ExitCode.REFUSED: "refused before changing anything",
    ExitCode.CONFLICT: "merging the target conflicts; the files are listed",
    ExitCode.VERIFY_FAILED: "the verification command failed",
    ExitCode.PROTECTED: "the target refuses direct pushes; the feature branch was pushed, "
    "the pull request link printed",
    ExitCode.PUSH_FAILED: "authentication, network, a local hook, or another refusal of the server",
    ExitCode.TIMEOUT: "the time given ran out; the same command continues",
    ExitCode.INTERRUPTED: "Ctrl-C; the resume command is printed",
    ExitCode.TERMINATED: "SIGTERM; the resume command is printed",
}

CI_WORST_FIRST = (
    ExitCode.DENIED, ExitCode.UNREACHABLE, ExitCode.FAILED, ExitCode.CANCELLED, ExitCode.SUPERSEDED,
    ExitCode.BLOCKED, ExitCode.NO_PIPELINE, ExitCode.TIMEOUT, ExitCode.OK,
)  # fmt: skip
DEPLOY_WORST_FIRST = (
    ExitCode.DENIED, ExitCode.UNREACHABLE, ExitCode.ROLLOUT_FAILED, ExitCode.ROLLOUT_UNPROVEN, ExitCode.TIMEOUT,
    ExitCode.OK,
)  # fmt: skip


def choose_worst_exit(exits: Iterable[ExitCode], order: tuple[ExitCode, ...] = CI_WORST_FIRST) -> ExitCode:
    """The one that counts; OK where there is none.

    >>> choose_worst_exit([ExitCode.OK, ExitCode.CANCELLED, ExitCode.FAILED]).name
    'FAILED'
    """
    return min(exits, key=order.index, default=ExitCode.OK)
