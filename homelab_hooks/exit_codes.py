"""The exit codes of all commands, their meanings, and their order of severity."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum


class ExitCode(IntEnum):
    """The exit code of a command."""

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
        """Return the verdict in the result line.

        >>> ExitCode.NO_PIPELINE.verdict, ExitCode.TERMINATED.verdict
        ('no-pipeline', 'interrupted')
        """
        return "interrupted" if self is ExitCode.TERMINATED else self.name.lower().replace("_", "-")


EXIT_MEANINGS: dict[ExitCode, str] = {
    ExitCode.OK: "everything requested completed and was confirmed",
    ExitCode.FAILED: "CI failed: the pipeline ended with failure or error",
    ExitCode.USAGE: "wrong arguments or settings",
    ExitCode.NO_PIPELINE: "no pipeline appeared within `--appear-timeout`, or it ended without a workflow named by "
    "`--workflow`; the likely reason is printed",
    ExitCode.DENIED: "access denied: token missing or rejected, invalid certificate, repository not found in CI, "
    "not a Woodpecker server, or no access to the cluster",
    ExitCode.CANCELLED: "the pipeline was cancelled, killed, or declined by a user",
    ExitCode.SUPERSEDED: "superseded by a newer pipeline that is not known to include the work of this commit",
    ExitCode.BLOCKED: "the pipeline needs approval; its URL is printed",
    ExitCode.UNREACHABLE: "no usable response from the server within `--unreachable-timeout`",
    ExitCode.ROLLOUT_FAILED: "the new pods fail, or the progress deadline was exceeded",
    ExitCode.ROLLOUT_UNPROVEN: "could not verify that the workload runs this commit",
    ExitCode.REFUSED: "a precondition is not met, or the server refused the request; nothing was landed",
    ExitCode.CONFLICT: "the merge or rebase has conflicts (the files are listed), or `--strategy ff-only` cannot "
    "fast-forward",
    ExitCode.VERIFY_FAILED: "the verification command failed, the checks of the pull request failed, or tracked "
    "files or the branch changed during the landing",
    ExitCode.PROTECTED: "the target branch is protected, and a person has to act; the topic branch was pushed, "
    "and the link of the pull request is printed",
    ExitCode.PUSH_FAILED: "the fetch, the merge commit, or the push failed: authentication, network, a local hook, "
    "or a rejection by the server",
    ExitCode.TIMEOUT: "timed out, before the push too if the target branch stayed busy, or still running "
    "(`homelab ci status`); the command to resume is printed",
    ExitCode.INTERRUPTED: "interrupted with Ctrl-C; the command to resume is printed",
    ExitCode.TERMINATED: "terminated by SIGTERM; the command to resume is printed",
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
    """Return the most severe exit code by `order`; OK if there is none.

    >>> choose_worst_exit([ExitCode.OK, ExitCode.CANCELLED, ExitCode.FAILED]).name
    'FAILED'
    """
    return min(exits, key=order.index, default=ExitCode.OK)
