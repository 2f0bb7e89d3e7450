"""What keeps text from outside from being opened by a click, or run by a shell that completes it."""

from __future__ import annotations

from tools.mutants.mutant import Change, Defence

TERMINAL = (
    Defence(
        "links",
        "only a plain web address becomes a hyperlink",
        (Change("views/live/view.py", "if self._has_links and _LINK.fullmatch(span.url):", "if self._has_links:"),),
        ("tests/views/test_live.py::test_what_is_not_a_plain_web_address_is_no_link",),
    ),
    Defence(
        "completed-targets",
        "a shell does not run a configured target, or what is typed in front of a kind, when it completes one",
        (
            Change("../hatch_build.py", "grep -xE '[A-Za-z0-9][A-Za-z0-9._/:@+-]*'", "cat"),
            Change("../hatch_build.py", "if [[ $1 =~ ^[a-z0-9-]+/[a-z]*$ ]]; then", "if [[ $1 = */* ]]; then"),
        ),
        ("tests/wheel/test_manuals.py::test_neither_a_configured_target_nor_a_typed_namespace_is_run_by_a_tab",),
    ),
    Defence(
        "lookalikes-in-plain-output",
        "a text from outside at the start of a line is not taken for the result line",
        (Change("views/plain.py", "err(indent_result_lookalike(part))", "err(part)"),),
        ("tests/hostile/test_lookalikes.py::test_a_line_that_is_folded_does_not_begin_like_a_result",),
    ),
    Defence(
        "lookalikes-in-logs",
        "nor is a line of a log that is printed",
        (Change("cli/commands/ci/logs.py", "terminal.out(indent_result_lookalike(shown))", "terminal.out(shown)"),),
        ("tests/hostile/test_lookalikes.py::test_a_log_that_is_printed_has_no_line_like_a_result",),
    ),
    Defence(
        "questions-and-signals",
        "Ctrl-C just before a question waits for its answer ends the question",
        (Change("system/terminal.py", "            _wait_for_input(sys.stdin.fileno())\n", ""),),
        ("tests/land/test_asking.py::test_ctrl_c_that_does_not_interrupt_the_system_call_ends_the_question",),
    ),
)
