"""The session of one command: its view, its duration, and exactly one result, also after an interruption."""

from __future__ import annotations

import itertools
import shlex
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from homelab_hooks.app.runtime import Runtime
from homelab_hooks.config.resolve import Config
from homelab_hooks.config.schema import SETTINGS, OutputMode
from homelab_hooks.errors import CommandError, Terminated
from homelab_hooks.events import (
    REMOVED_STATUS,
    STATUS_TRIGGER,
    Event,
    Log,
    LogLevel,
    PipelineChanged,
    PipelineResult,
    Result,
    Start,
)
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.system.signals import catch_signals, ignore_signals, run_interruptible
from homelab_hooks.text.redaction import sanitize_text
from homelab_hooks.verdict import RESUMABLE_EXITS, Verdict, choose_verdict, name_command
from homelab_hooks.views import View


class Session:
    """Passes events to the view, remembers what a result would need, and writes exactly one result.

    Args:
        prog: the command's name, for messages.
    """

    def __init__(self, prog: str, runtime: Runtime, output: OutputMode) -> None:
        self.prog = prog
        self.runtime = runtime
        self._begin = runtime.clock.now()
        self._output = output
        self._view: View = runtime.view(output)
        runtime.tell = self.tell
        self._partial = Verdict(exit=ExitCode.INTERRUPTED)
        self._record: Callable[[Event], None] = lambda _: None
        self.result: Result | None = None
        self.settings: Config | None = None
        """the effective settings, once the command has read them"""
        self.watcher_notifies = False
        """whether a background watcher has the result or will have it, and sends the notification itself"""
        self.command_line = prog
        """the command line as it was typed"""
        self.resume = ""
        """the command that resumes from here; empty if there is none yet"""

    @classmethod
    def open(cls, prog: str, args: Sequence[str]) -> Session:
        """Create a session whose view is set by --output, read before the arguments are parsed, or HOMELAB_OUTPUT."""
        runtime = Runtime.from_process()
        session = cls(prog, runtime, _early_output(args, runtime.environ.get("HOMELAB_OUTPUT", "")))
        session.command_line = " ".join([prog, *([shlex.join(args)] if args else [])])
        return session

    def run_guarded(self, run: Callable[[], int]) -> int:
        """Run the command, and return its exit code.

        An error, an interruption, or an internal error becomes the result, unless one was written before.
        """
        with catch_signals():
            try:
                code = run_interruptible(lambda: self._here(run))
            except CommandError as problem:
                return self.finish(
                    Verdict(exit=problem.exit, reason=problem.message, hint=problem.hint, landed=problem.landed)
                )
            except KeyboardInterrupt:
                return self._interrupted(ExitCode.INTERRUPTED)
            except Terminated:
                return self._interrupted(ExitCode.TERMINATED)
            except Exception as fault:  # noqa: BLE001 - the last resort: no traceback reaches a user
                return self._internal_error(fault)
            else:
                if self.result:
                    return int(self.result.exit)
                return code or int(bool(self.runtime.terminal.write_error))  # its answer is its output, as cat's is
            finally:
                self._view.close()

    def _here(self, run: Callable[[], int]) -> int:
        self.runtime.require_directory()
        return int(run())

    def config(self, given: Mapping[str, Any]) -> Config:
        """Return the effective settings, and switch to the view that they name.

        Args:
            given: the command's options by name; for a commit that is named, the tracked file is that of the commit.
        """
        config = self.runtime.config(_given_settings(given), commit=given.get("commit") or given.get("sha") or "")
        self.settings = config
        self._switch_view(config.output)
        for warning in config.warnings:
            self.tell(Log(source="homelab", text=str(warning), level=LogLevel.WARNING))
        return config

    def config_inside(self, given: Mapping[str, Any]) -> Config:
        """Return the effective settings of the worktree in which a command continues; the view stays the same."""
        return self.runtime.config(_given_settings(given))

    def resolve_leniently(self, given: Mapping[str, Any]) -> tuple[Config, tuple[CommandError, ...]]:
        """Return the effective settings that are valid, and an error for each other one."""
        config, problems = self.runtime.resolve_leniently(_given_settings(given))
        self._switch_view(config.output)
        return config, problems

    def _switch_view(self, output: OutputMode) -> None:
        if output is self._output:  # a second view would count its events from 1 again
            return
        self._view.close()
        self._output = output
        self._view = self.runtime.view(output)

    def tell(self, event: Event) -> None:
        """Show an event, and remember what a result would need."""
        match event:
            case Start():
                self._partial = self._partial._replace(sha=event.sha or self._partial.sha)
                self.resume = shlex.join(event.resume or ()) or self.resume
            case Log(resume=words) if words:
                self.resume = shlex.join(words)
            case PipelineChanged() if event.deciding:
                self._remember(event)
            case _:
                pass
        self._show(event)

    def record_events(self, record: Callable[[Event], None]) -> None:
        """Pass every event from now on, the result included, to this function too."""
        self._record = record

    def _show(self, event: Event) -> None:
        self._view.tell(event)
        self._record(event)

    def set_resume_command(self, command: str) -> None:
        """Remember the command that resumes what runs now; it is printed if the command is interrupted."""
        self.resume = command

    def reserve_stdout(self) -> None:
        """Write everything to stderr from now on, the result too: stdout belongs to a protocol."""
        self.runtime.terminal.stdout_is_reserved = True

    @property
    def writes_json(self) -> bool:
        """Return whether stdout is newline-delimited JSON, so that an answer has to be an event."""
        return self._output is OutputMode.JSON

    def answer(self, event: Event, line: str) -> None:
        """Write a line of a command's answer to stdout; in JSON mode, the event instead."""
        if self.writes_json:
            self.tell(event)
        else:
            self.runtime.terminal.out(line)

    def finish_answer(self) -> int:
        """Return 0 after an answer; in JSON mode, write the result that ends every stream of events."""
        return self.finish(Verdict(exit=ExitCode.OK, label="ok")) if self.writes_json else 0

    def set_landed(self, landed: bool | None) -> None:  # noqa: FBT001 - a fact of three values
        """Remember whether the commit is on the target, for a result that is written without a verdict.

        Args:
            landed: as the landing decides it; None: unknown.
        """
        self._partial = self._partial._replace(landed=landed)

    def ask(self, question: str) -> bool:
        """Return whether the user answers yes; False without a terminal. The live view is closed first."""
        self._view.close()
        return self.runtime.terminal.ask(question)

    def finish(self, verdict: Verdict) -> int:
        """Write the result, once, and return its exit code. Signals are ignored from here on, so none can change it."""
        ignore_signals()
        if self.result:
            return int(self.result.exit)
        known = self._partial
        is_open = verdict.exit in RESUMABLE_EXITS or verdict.label == "watching"
        resume = verdict.resume or (self.resume if is_open else "")
        result = Result(
            verdict=choose_verdict(verdict.exit, verdict.label),
            exit=verdict.exit,
            sha=verdict.sha or known.sha,
            pipelines=verdict.pipelines or known.pipelines,
            deploys=verdict.deploys,
            landed=verdict.landed if verdict.landed is not None else known.landed,
            url=verdict.url or known.url,
            link=verdict.link,
            links=verdict.links,
            revert=verdict.revert,
            proposed=verdict.proposed,
            tree=verdict.tree,
            reason=verdict.reason,
            hint=name_command(verdict.hint, resume),
            resume=tuple(shlex.split(resume)) or None,
            took=self.runtime.clock.now() - self._begin,
        )
        self._show(result)
        self.result = result
        return int(verdict.exit)

    def _remember(self, event: PipelineChanged) -> None:
        """Remember the newest pipeline of each (event, ref); forget one that the server has removed.

        A commit status has no number of a pipeline.
        """
        if event.trigger == STATUS_TRIGGER:
            return
        if event.status == REMOVED_STATUS:
            kept = tuple(p for p in self._partial.pipelines if p.number != event.number)
            self._partial = self._partial._replace(pipelines=kept, url=kept[-1].url if kept else "")
            return
        others = [p for p in self._partial.pipelines if (p.event, p.ref) != (event.trigger, event.ref)]
        row = PipelineResult(
            number=event.number, event=event.trigger, ref=event.ref, status=event.status, url=event.url
        )  # fmt: skip
        self._partial = self._partial._replace(pipelines=(*others, row), url=event.url)

    def _interrupted(self, exit_: ExitCode) -> int:
        hint = f"to resume, run: {self.resume}" if self.resume else f"to try again, run: {self.command_line}"
        return self.finish(Verdict(exit=exit_, reason="interrupted", hint=hint))

    def _internal_error(self, fault: Exception) -> int:
        if self.runtime.environ.get("HOMELAB_DEBUG") == "1":
            import traceback

            for line in "".join(traceback.format_exception(fault)).splitlines():
                self.runtime.terminal.err(sanitize_text(line, self.runtime.redact))
        reason = f"internal error: {type(fault).__name__}: {fault}"
        hint = "set HOMELAB_DEBUG=1 to see a traceback, and please report this bug"
        exit_ = ExitCode.REFUSED if self._partial.landed is False else ExitCode.UNREACHABLE
        return self.finish(Verdict(exit=exit_, reason=reason, hint=hint, landed=self._partial.landed))


def _given_settings(given: Mapping[str, Any]) -> dict[str, str | Sequence[str] | None]:
    """Return the options that are settings; None where one was not given, or the command does not have it."""
    return {setting.name: given.get(setting.name) for setting in SETTINGS}


def _early_output(args: Sequence[str], variable: str) -> OutputMode:
    """Return the output mode, as far as it is known before the arguments are parsed."""
    given = [arg.removeprefix("--output=") for arg in args if arg.startswith("--output=")]
    given += [after for arg, after in itertools.pairwise(args) if arg == "--output"]
    for word in (*given[-1:], variable):
        if word in tuple(OutputMode):
            return OutputMode(word)
    return OutputMode.AUTO
