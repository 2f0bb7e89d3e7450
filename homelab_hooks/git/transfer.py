"""Fetches the target branch and pushes a commit."""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from homelab_hooks.git.command import GitCommands
from homelab_hooks.git.location import Location
from homelab_hooks.git.pid_file import PUSH_PID_FILE, PidFile
from homelab_hooks.git.push_result import PushResult, PushStatus, parse_push_output
from homelab_hooks.git.remotes import REMOTE_TIMEOUT_S
from homelab_hooks.git.submodules import Submodules
from homelab_hooks.git.web_page import answers_with_web_page
from homelab_hooks.system.child import script_obstacle
from homelab_hooks.system.completed import Completed
from homelab_hooks.system.output import OutputListener
from homelab_hooks.system.process_table import command_line

_FETCH_REFS = "refs/homelab/fetched/"
_QUIET_FETCH = (
    "--quiet", "--no-tags", "--no-auto-maintenance", "--no-recurse-submodules", "--no-write-fetch-head", "--refmap=",
)  # fmt: skip


class FetchResult(NamedTuple):
    """The result of a fetch: `tip` is the branch's commit at the remote, empty if the fetch brought none."""

    tip: str
    done: Completed


class Transfer:
    """Fetches and pushes for a landing."""

    def __init__(self, git: GitCommands, location: Location, submodules: Submodules) -> None:
        self._git = git
        self._location = location
        self._submodules = submodules
        self._pid_file = PidFile(location, PUSH_PID_FILE)

    def fetch_tip(
        self, source: str, branch: str, *, remote: str, listener: OutputListener | None = None
    ) -> FetchResult:
        """Fetch one branch and return its commit at the remote; an unreadable answer is an empty `tip`.

        The commit is read from a ref that only this call knows, and that is deleted again. FETCH_HEAD is neither read
        nor written: an editor's background fetch in the same worktree rewrites it at any time. The tracking ref is
        moved by the same fetch, but whether that works is not checked: another fetch may hold its lock.

        Args:
            source: a remote's name, or the URL that is pushed to if that is another one.
            remote: the remote whose tracking ref is moved too; empty for none.
            listener: gets what git and its helpers print.
        """
        self.delete_leftover_fetch_refs()
        ref, own = f"refs/heads/{branch}", f"{_FETCH_REFS}{os.getpid()}-{secrets.token_hex(8)}"
        tracking = [f"+{ref}:refs/remotes/{remote}/{branch}"] if remote else []
        try:
            done = self._git.run_with_remote(
                "fetch", *_QUIET_FETCH, "--", source, f"+{ref}:{own}", *tracking, listener=listener
            )
            tip = self._git.line("rev-parse", "--verify", "--quiet", f"{own}^{{commit}}")
            return FetchResult(tip, done if tip else self._name_web_page(source, done))
        finally:
            self._git.run("update-ref", "-d", own)

    def _name_web_page(self, source: str, done: Completed) -> Completed:
        """Return how a fetch failed; the message says so if a missing branch was a web page."""
        from homelab_hooks.git.transport_error import NOT_A_GIT_SERVER, TransportFault, read_transport_error

        if read_transport_error(done.err).fault is not TransportFault.NO_BRANCH:
            return done
        is_page = answers_with_web_page(self._git, source, timeout=REMOTE_TIMEOUT_S)
        return done._replace(stderr=NOT_A_GIT_SERVER.encode()) if is_page else done

    def delete_leftover_fetch_refs(self) -> None:
        """Delete the refs of fetches that were killed: those whose process no longer exists."""
        for ref in self._git.lines("for-each-ref", "--format=%(refname)", _FETCH_REFS):
            pid = ref.removeprefix(_FETCH_REFS).partition("-")[0]
            if not (pid.isdecimal() and command_line(int(pid))):
                self._git.run("update-ref", "-d", ref)

    def fetch_all_history(self, source: str, *, listener: OutputListener | None = None) -> Completed:
        """Fetch the complete history of a shallow repository."""
        quiet = ("--quiet", "--no-tags", "--no-write-fetch-head")
        return self._git.run_with_remote("fetch", *quiet, "--unshallow", "--", source, listener=listener)

    def push_commit(
        self,
        sha: str,
        *,
        to: str,
        remote: str,
        options: Sequence[str] = (),
        listener: OutputListener | None = None,
    ) -> PushResult:
        """Push one commit to one branch, fast-forward only; the user's pre-push hook runs.

        push.recurseSubmodules=on-demand becomes `check`: git pushes submodules only for a branch given by name.

        Args:
            to: the branch on the server.
            remote: a remote's name or a URL.
            options: push options for the server.
            listener: gets what git, the pre-push hook and the server print.
        """
        if obstacle := self._hook_obstacle():
            return PushResult(
                status=PushStatus.LOCAL_HOOK,
                reason=f"it cannot be started: {obstacle}",
                hint="fix or remove that hook",
            )
        ref = f"refs/heads/{to}"
        extra = [f"--push-option={option}" for option in options]
        check = "check" if self._submodules.recurses_on_push() else "no"
        done = self._git.run_with_remote(
            "push", "--porcelain", "--no-follow-tags", f"--recurse-submodules={check}", *extra,
            "--", remote, f"{sha}:{ref}",
            pid_file=self._pid_file.path, listener=listener,
        )  # fmt: skip
        self.clear_push_pid()
        return parse_push_output(done.code, done.out, done.err, ref=ref, sha=sha)

    def _hook_obstacle(self) -> str:
        """Return why the pre-push hook cannot be started; empty if there is none, or nothing prevents it.

        Git would never end: after the failure it waits for any of its children (finish_command with pid -1 in
        run-command.c), and the other one waits for git.
        """
        return script_obstacle(self._pre_push_hook()) if self.has_pre_push_hook() else ""

    def has_pre_push_hook(self) -> bool:
        """Return whether git runs a pre-push hook."""
        return os.access(self._pre_push_hook(), os.X_OK)

    def _pre_push_hook(self) -> Path:
        return self._location.git_path("hooks") / "pre-push"

    def running_push_pid(self, sha: str) -> int:
        """Return the id of the process that is pushing this commit, even if its landing was killed; 0: none is."""
        return self._pid_file.running(sha)

    def clear_push_pid(self) -> None:
        """Remove the record of the push's process."""
        self._pid_file.clear()
