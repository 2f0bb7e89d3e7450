"""The exit codes: one table for every command, and which of several is the worst."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum


class Exit(IntEnum):
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

        >>> Exit.NO_PIPELINE.verdict, Exit.TERMINATED.verdict
        ('no-pipeline', 'interrupted')
        """
        return "interrupted" if self is Exit.TERMINATED else self.name.lower().replace("_", "-")


MEANING: dict[Exit, str] = {
    Exit.OK: "all that was asked for happened and was seen to happen",
    Exit.FAILED: "CI decided against the commit: failure or error",
    Exit.USAGE: "wrong arguments or settings",
    Exit.NO_PIPELINE: "no pipeline appeared within the appear-timeout; the reason found is printed",
    Exit.DENIED: "token missing or refused, repository unknown to CI, or the address is not a Woodpecker server",
    Exit.CANCELLED: "killed, cancelled or declined by a person",
    Exit.SUPERSEDED: "a newer pipeline replaced it, and that one does not contain the commit",
    Exit.BLOCKED: "waits for an approval; the URL is printed",
    Exit.UNREACHABLE: "no usable answer for the whole unreachable-timeout",
    Exit.ROLLOUT_FAILED: "the new pods fail, or the progress deadline passed",
    Exit.ROLLOUT_UNPROVEN: "it cannot be shown that the workload runs this commit",
    Exit.REFUSED: "refused before changing anything",
    Exit.CONFLICT: "merging the target conflicts; the files are listed",
    Exit.VERIFY_FAILED: "the verification command failed",
    Exit.PROTECTED: "the target refuses direct pushes; the feature branch was pushed, the pull request link printed",
    Exit.PUSH_FAILED: "authentication, network, a local hook, or another refusal of the server",
    Exit.TIMEOUT: "the time given ran out; the same command continues",
    Exit.INTERRUPTED: "Ctrl-C; the resume command is printed",
    Exit.TERMINATED: "SIGTERM; the resume command is printed",
}

CI_WORST_FIRST = (
    Exit.DENIED, Exit.UNREACHABLE, Exit.FAILED, Exit.CANCELLED, Exit.SUPERSEDED,
    Exit.BLOCKED, Exit.NO_PIPELINE, Exit.TIMEOUT, Exit.OK,
)  # fmt: skip
DEPLOY_WORST_FIRST = (
    Exit.DENIED, Exit.UNREACHABLE, Exit.ROLLOUT_FAILED, Exit.ROLLOUT_UNPROVEN, Exit.TIMEOUT, Exit.OK,
)  # fmt: skip


def worst(exits: Iterable[Exit], order: tuple[Exit, ...] = CI_WORST_FIRST) -> Exit:
    """The one that counts; OK where there is none.

    >>> worst([Exit.OK, Exit.CANCELLED, Exit.FAILED]).name
    'FAILED'
    """
    return min(exits, key=order.index, default=Exit.OK)
