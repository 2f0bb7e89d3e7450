"""What ends, bounds, shows and isolates child processes."""

from __future__ import annotations

from tools.mutants.mutant import Change, Defence

TESTS = "tests/system/test_process.py"
LANDING, ENVIRONMENT = "tests/land/test_children.py", "tests/e2e/test_children.py"
FOLLOW = "tests/deploy/test_follow.py"
CHILD, OUTPUT, PROCESS = "system/child.py", "system/output.py", "system/process_runner.py"

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
        (f"{TESTS}::test_what_is_in_the_pipe_of_a_process_that_has_ended_is_read",),
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
    Defence(
        "commands-that-are-too-long",
        "the paths of one call of git are bounded",
        (Change("git/command.py", "MAX_PATHS_PER_CALL = 200", "MAX_PATHS_PER_CALL = 1_000_000"),),
        ("tests/git/test_repository.py::test_names_of_three_megabytes_do_not_make_a_command_too_long",),
    ),
    Defence(
        "silent-children",
        "a child that prints nothing gives a heartbeat",
        (Change("follow/child_output.py", "if seconds_to_heartbeat(self._last_event_at, now) <= 0:", "if False:"),),
        (f"{LANDING}::test_a_silent_child_gives_a_heartbeat_a_minute",),
    ),
    Defence(
        "locale-of-hooks",
        "hooks see the user's locale, not the one that GitPython sets",
        (
            Change("git/gitpython.py", "self._gone | unset if listener else self._gone", "self._gone"),
            Change("git/gitpython.py", '{**dict.fromkeys(unset, ""), **env}', "env"),
        ),
        (f"{ENVIRONMENT}::test_hooks_and_the_verification_see_the_users_own_environment[locale in LANG]",),
    ),
    Defence(
        "locale-that-python-sets",
        "without a locale, other programs do not get the one that Python sets",
        (Change("app/runtime.py", "        _remove_coerced_locale()\n", ""),),
        (f"{ENVIRONMENT}::test_hooks_and_the_verification_see_the_users_own_environment[no locale]",),
    ),
    Defence(
        "translations",
        "git's messages are English whatever the user's language is",
        (Change("git/environment.py", '    kept |= {"GIT_TEXTDOMAINDIR": NO_TRANSLATIONS}\n', ""),),
        (f"{ENVIRONMENT}::test_gits_messages_are_read_whatever_language_it_speaks",),
    ),
    Defence(
        "editors-of-hooks",
        "a pre-push hook sees the user's editor",
        (Change("git/environment.py", " if subcommand(args) in _EDITING_COMMANDS else {}", ""),),
        (f"{ENVIRONMENT}::test_hooks_and_the_verification_see_the_users_own_environment[an editor]",),
    ),
    Defence(
        "modules-of-the-repository",
        "nothing is imported from the repository",
        (
            Change(
                "cli/process.py",
                '        if real == _PACKAGE_ROOT or not f"{real}/".startswith(f"{root.rstrip(\'/\')}/"):\n',
                "        if True:\n",
            ),
            Change("cli/process.py", "return [*kept, *_outside", "return [*_outside"),
            Change("cli/process.py", "if entry not in kept))]", "if entry not in kept)), *kept]"),
        ),
        (f"{ENVIRONMENT}::test_no_module_of_the_repository_is_imported[.]",),
    ),
    Defence(
        "names-in-every-locale",
        "a name that is not ASCII can be landed in an ASCII locale",
        (Change("cli/process.py", '        _restart("-X", "utf8")\n', "        pass\n"),),
        (f"{ENVIRONMENT}::test_names_that_are_not_ascii_land_in_every_locale",),
    ),
    Defence(
        "gits-of-other-programs",
        "the settings of other programs that use GitPython do not choose our git",
        (Change("app/runtime.py", 'if name.startswith("GIT_PYTHON_")', "if False"),),
        (f"{ENVIRONMENT}::test_hooks_and_the_verification_see_the_users_own_environment[GitPython's git]",),
    ),
    Defence(
        "programs-that-cannot-run",
        "a verification command is chosen only if its program can be run",
        (Change("land/verification.py", "        if can_run(candidate.probe):\n", "        if True:\n"),),
        ("tests/land/test_verification.py::test_the_program_that_can_be_run_is_used",),
    ),
    Defence(
        "open-before-the-push",
        "an error before the push leaves no doubt about whether the commit landed",
        (
            Change(
                "cli/commands/work/land.py",
                "        session.set_landed(False)  # first of all: an error before the push must not leave it open\n",
                "        pass\n",
            ),
        ),
        (f"{ENVIRONMENT}::test_a_fault_before_the_push_is_a_refusal",),
    ),
    Defence(
        "closed-streams",
        "a closed standard stream is replaced before a file or socket gets its number",
        (
            Change("cli/process.py", "    open_missing_streams()\n    if", "    if"),
            Change(
                "cli/process.py",
                "        os.set_inheritable(number, True)",
                "        os.set_inheritable(number, False)",
            ),
            Change("app/runtime.py", "sys.stdin is not None and sys.stdin.isatty()", "sys.stdin.isatty()"),
        ),
        (
            "tests/land/test_closed_streams.py::test_closed_standard_streams_change_no_result",
            "tests/land/test_closed_streams.py::test_a_file_does_not_get_the_number_of_a_closed_stream",
        ),
    ),
)
