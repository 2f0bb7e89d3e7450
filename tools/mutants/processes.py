"""What the process itself is started with: closed or full streams, signals that come early or are ignored."""

from __future__ import annotations

from tools.mutants.mutant import Change, Defence

STREAMS = "tests/cli/test_streams.py"

PROCESSES = (
    Defence(
        "progress-without-stderr",
        "progress is not written to stdout if stderr is closed",
        (
            Change("cli/process.py", "    open_missing_streams()\n    if", "    if"),
            Change("system/terminal.py", "        if stream is None:", "        if False:"),
        ),
        (f"{STREAMS}::test_progress_never_goes_to_stdout[homelab-watch]",),
    ),
    Defence(
        "lost-answers",
        "an answer that could not be written is not ok",
        (Change("system/terminal.py", 'self.write_error = getattr(error, "strerror", None) or str(error)', "pass"),),
        (
            f"{STREAMS}::test_an_answer_that_could_not_be_written_is_not_ok[ci logs-8]",
            f"{STREAMS}::test_an_answer_that_could_not_be_written_is_not_ok[config-1]",
        ),
    ),
    Defence(
        "early-signals",
        "a signal before the session ends the process by itself",
        (Change("cli/__init__.py", "lambda *_, code=code: os._exit(code)", "_signal.SIG_DFL"),),
        (f"{STREAMS}::test_a_signal_before_the_session_ends_the_process_by_itself",),
    ),
    Defence(
        "ignored-signals",
        "a signal that is ignored at the start stays ignored",
        (
            Change("system/signals.py", " if signal.getsignal(n) is not signal.SIG_IGN]", "]"),
            Change("cli/__init__.py", "if _signal.getsignal(number) != _signal.SIG_IGN:", "if True:"),
        ),
        (f"{STREAMS}::test_a_signal_that_is_ignored_at_the_start_stays_ignored",),
    ),
)
