"""Defences around coding agents: what they may run, what is written for them, and what they read."""

from __future__ import annotations

from tools.mutants.mutant import Change, Defence

PLAN = "tests/agent/test_plan.py"
COMMANDS = "tests/agent/test_commands.py"
WAKE = "tests/agent/test_wake.py"

AGENTS = (
    Defence(
        "options-of-allowed-commands",
        "a command that runs without a question has no option that directs it elsewhere",
        (Change("agent/rules.py", 'if option.tier == "read" and not option.takes_value]', "if not option.takes_value]"),
         Change("agent/rules.py", 'all(option.tier == "read" for option in fact.options)', "True")),
        (f"{COMMANDS}::test_a_command_that_may_run_without_asking_has_read_options_only",),
    ),
    Defence(
        "new-options-ask",
        "an option that was not reviewed is write",
        (Change("cli/option_tiers.py", 'return "read" if long and known.issuperset(long) else "write"',
                'return "write" if "--server" in long else "read"'),),
        ("tests/cli/test_obedient.py::test_an_option_that_can_direct_a_request_or_run_a_program_is_write",),
    ),
    Defence(
        "bytes-of-an-agents-settings",
        "uninstalling restores the bytes that were there",
        (Change("agent/plan.py", "        return _Baseline(receipt.before)\n", "        pass\n"),),
        (f"{PLAN}::test_every_byte_is_kept_and_restored",),
    ),
    Defence(
        "settings-that-are-not-json",
        "a duplicate key, of which a parser keeps one, is not edited",
        (Change("text/json_edit.py", "        if key.value in members:\n", "        if False:\n"),),
        (f"{PLAN}::test_what_is_not_plain_json_is_refused_with_a_remedy",),
    ),
    Defence(
        "entries-that-the-user-had",
        "an entry that was there before is not removed",
        (Change("agent/plan.py", "if entry.value not in _array_at(root, entry.path))", "if entry.path)"),),
        (f"{PLAN}::test_from_a_file_that_was_changed_since_only_our_entries_are_removed",),
    ),
    Defence(
        "links-to-an-agents-settings",
        "a symbolic link is not replaced by a file",
        (Change("agent/files.py", "    if stat.S_ISLNK(found.st_mode):", "    if False:"),
         Change("agent/files.py", "        found = path.lstat()", "        found = path.stat()")),
        (f"{COMMANDS}::test_a_file_that_cannot_be_edited_is_refused_and_nothing_is_written",),
    ),
    Defence(
        "folders-of-a-project",
        "a folder of the repository that is a symbolic link leads out of it",
        (Change("agent/files.py", " and up.is_symlink()), None)", " and False), None)"),),
        (f"{COMMANDS}::test_in_a_project_only_ignored_files_are_written",),
    ),
    Defence(
        "tracked-files-of-an-agent",
        "a file that git would add to a commit is not written",
        (Change("app/agent_setup.py", "if not location.is_ignored(str(path))]", "if False]"),),
        (f"{COMMANDS}::test_in_a_project_only_ignored_files_are_written",),
    ),
    Defence(
        "words-that-wake-an-agent",
        "an agent that is woken reads no text from outside",
        (Change("app/agent_wake.py", " or verdict not in VERDICTS:", ":"),),
        (f"{WAKE}::test_only_the_verdict_and_the_commit_are_printed",),
    ),
    Defence(
        "short-timeouts-that-are-repeated",
        "a caller that obeys every hint does not run one short wait after another",
        (Change("app/options.py", "        if is_short_timeout(setting.name, value):\n            continue\n", ""),),
        ("tests/cli/test_obedient.py::test_no_resume_command_repeats_a_short_timeout",),
    ),
    Defence(
        "verdicts-of-the-list",
        "no other word than those of the manifest is printed as the verdict",
        (Change("verdict.py", "else read_success_word(label) or exit_.verdict", "else label or exit_.verdict"),),
        ("tests/views/test_views.py::test_a_result_has_no_verdict_but_those_of_the_list",),
    ),
    Defence(
        "events-that-are-counted",
        "the events of one command are counted without a gap or a restart",
        (Change("app/session.py", "        if output is self._output:", "        if False:"),),
        ("tests/cli/test_obedient.py::test_a_caller_that_obeys_ends",),
    ),
)  # fmt: skip
