"""What keeps a child process from holding a command up, filling the memory, or talking to nobody."""

from __future__ import annotations

from tools.mutants.mutant import Change, Defence

TESTS = "tests/system/test_process.py"
FOLLOW = "tests/deploy/test_follow.py"
CHILD, OUTPUT, PROCESS = "system/child.py", "system/output.py", "system/process.py"

CHILDREN = (
    Defence(
        "endless-lines",
        "a line without an end, of a program that is followed, is not kept",
        (Change(OUTPUT, "        return len(self._rest) <= self._max_bytes\n", "        return True\n"),),
        (f"{FOLLOW}::test_a_line_without_an_end_is_not_kept",),
    ),
    Defence(
        "pipes-that-are-held",
        "a daemon that holds the output does not hold the end back: only the end of both pipes would end the wait",
        (
            Change(
                CHILD,
                "if (late or not busy or now >= next_check) and child.poll() is not None:",
                "if not pipes.open and child.poll() is not None:",
            ),
        ),
        (f"{TESTS}::test_a_daemon_is_not_waited_for",),
    ),
    Defence(
        "last-words-of-a-child",
        "what is in the pipes of a process that has ended is read",
        (Change(CHILD, "            drain_pipes(pipes)\n", ""),),
        (f"{TESTS}::test_a_process_that_writes_a_moment_after_the_command_is_still_read",),
    ),
    Defence(
        "questions",
        "an unfinished line is shown after a pause",
        (Change(OUTPUT, "            self._on_line(mark_unfinished(text))\n", ""),),
        (f"{TESTS}::test_lines_are_passed_on_whole_and_unfinished_ones_after_a_pause",),
    ),
    Defence(
        "rows-of-dots",
        "a line that grows is shown again at growing intervals",
        (Change(OUTPUT, "min(2 * self._interval_s, MAX_UNFINISHED_INTERVAL_S)", "UNFINISHED_AFTER_S"),),
        (f"{TESTS}::test_a_line_that_grows_for_an_hour_is_not_shown_at_each_dot",),
    ),
    Defence(
        "split-passwords",
        "the beginning of a password in an unfinished line is not shown",
        (Change("text/sanitize.py", '_OPEN_USERINFO.sub("://", text.rstrip())', "text.rstrip()"),),
        (f"{TESTS}::test_lines_are_passed_on_whole_and_unfinished_ones_after_a_pause",),
    ),
    Defence(
        "floods",
        "of messages, the beginning and the end are kept",
        (Change(OUTPUT, "            del self._tail[: -self._half_bytes]\n", ""),),
        (f"{TESTS}::test_a_flood_is_not_kept",),
    ),
    Defence(
        "floods-without-a-newline",
        "of a line that is shown, the beginning is kept",
        (Change(OUTPUT, '.rpartition(b"\\r")[2][:MAX_SHOWN_LINE_BYTES]', '.rpartition(b"\\r")[2]'),),
        (f"{TESTS}::test_a_flood_of_a_hook_is_passed_on_and_not_kept",),
    ),
    Defence(
        "hooks-without-an-interpreter",
        "a hook without a `#!` line is run by sh",
        (Change(PROCESS, "        if error.errno != ENOEXEC:\n            raise\n", "        raise\n"),),
        (f"{TESTS}::test_a_hook_without_an_interpreter_line_is_run_by_sh_as_git_does_it",),
    ),
    Defence(
        "errors-of-starting",
        "every reason why a process could not be started is a result, and only some mean that the program is missing",
        (Change(CHILD, "unusable = error.errno in _UNUSABLE", "unusable = True"),),
        (f"{TESTS}::test_a_command_that_is_too_long_is_not_a_missing_program",),
    ),
)
