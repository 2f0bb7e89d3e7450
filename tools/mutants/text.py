"""What keeps text from outside from acting on a terminal, hiding, or being taken for ours."""

from __future__ import annotations

from tools.mutants.mutant import Change, Defence

COMMANDS = "tests/hostile/test_commands.py"
CLEAN = "tests/hostile/test_text.py"
SOURCE = "text/sanitize.py"
VIEWS = "tests/hostile/test_views.py"
WRITERS = "tests/hostile/test_writers.py"

TEXT = (
    Defence(
        "plain-view",
        "the plain view takes events in fit to be shown",
        (Change("views/plain.py", "sanitized = sanitize_event(event, self._redact)", "sanitized = event"),),
        (f"{VIEWS}::test_plain_says_nothing_harmful[log..text]",),
    ),
    Defence(
        "json-view",
        "so does the one for programs",
        (Change("views/ndjson.py", "_to_object(sanitize_event(event, redact))", "_to_object(event)"),),
        (f"{VIEWS}::test_json_says_nothing_harmful[log..text]",),
    ),
    Defence(
        "live-view",
        "so does the live one",
        (Change("views/live/view.py", "sanitize_event(event, self._redact, color=True)", "event"),),
        (f"{VIEWS}::test_live_writes_nothing_but_its_own_sequences[log..text]",),
    ),
    Defence(
        "parts-of-events",
        "the parts of an event are made fit as well",
        (
            Change(
                "views/sanitize.py",
                "    return tuple(_sanitize(each, redact) for each in value) if isinstance(value, tuple) else value",
                "    return value",
            ),
        ),
        (f"{VIEWS}::test_json_says_nothing_harmful",),
    ),
    Defence(
        "a-new-writer",
        "who writes to the terminal is a list: another one is seen",
        (
            Change(
                "cli/commands/ci/restart.py",
                "    again = watch_setup",
                "    session.runtime.terminal.err(server)\n    again = watch_setup",
            ),
        ),
        (f"{WRITERS}::test_only_known_places_write_to_the_terminal",),
    ),
    Defence(
        "a-writer-that-does-not-care",
        "and one of them that no longer makes texts fit",
        (Change("cli/commands/work/start.py", "sanitize_text(str(path), runtime.redact) if", "str(path) if"),),
        (f"{WRITERS}::test_every_writer_sanitizes_texts_from_outside",),
    ),
    Defence(
        "sequences",
        "escape sequences are taken out whole",
        (Change(SOURCE, '_INVISIBLE.sub("", _ESCAPES.sub("", text).replace', '_INVISIBLE.sub("", text.replace'),),
        (f"{COMMANDS}::test_logs_in_a_pipe_are_text",),
    ),
    Defence(
        "control-characters",
        "C0 and C1 characters are taken out",
        (Change(SOURCE, r'"\x00-\x1f\x7f-\x9f"  # C0 and C1', '""'),),
        (f"{CLEAN}::test_of_all_characters_only_the_harmless_stay",),
    ),
    Defence(
        "separators-and-halves",
        "so are what Unicode has beside newlines, and halves of characters",
        (Change(SOURCE, r'"\u2028\u2029\ud800-\udfff"', '""'),),
        (f"{CLEAN}::test_of_all_characters_only_the_harmless_stay",),
    ),
    Defence(
        "bidi",
        "so is what shows text in another order",
        (Change(SOURCE, r'"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"', '""'),),
        (f"{CLEAN}::test_of_all_characters_only_the_harmless_stay",),
    ),
    Defence(
        "unseen-characters",
        "so is what nothing is seen of, which could stand within a secret",
        (Change(SOURCE, r'\u200b-\u200d\u2060-\u2065\u206a-\u206f\u3164"', '"'),),
        (f"{CLEAN}::test_of_all_characters_only_the_harmless_stay",),
    ),
    Defence(
        "tags",
        "so are tag characters and selectors",
        (Change(SOURCE, r'\U000e0000-\U000e0fff"', '"'),),
        (f"{CLEAN}::test_of_all_characters_only_the_harmless_stay",),
    ),
    Defence(
        "piles-of-marks",
        "marks do not pile up over the lines around them",
        (Change(SOURCE, "limited = _COMBINING_RUNS.sub(_limit_combining, flat)", "limited = flat"),),
        (f"{CLEAN}::test_clean_twice_is_clean_once[a pile of marks]",),
    ),
    Defence(
        "a-sequence-without-an-end",
        "what has no end does not swallow the words that follow",
        (Change(SOURCE, r"(?:\x1b\\|[\x07\x9c])", r"(?:\x1b\\|[\x07\x9c]|$)"),),
        (f"{CLEAN}::test_a_sequence_without_an_end_does_not_swallow_what_follows",),
    ),
    Defence(
        "the-end-of-a-color",
        "a color that is kept ends with its line",
        (Change(SOURCE, 'f"{kept}{_SGR_RESETS[0]}"', "kept"),),
        (f"{CLEAN}::test_a_color_that_is_kept_is_ended",),
    ),
    Defence(
        "colors-in-a-secret",
        "where something had to be taken out no color stays: it could part a secret",
        (Change("text/redaction.py", "if color and shown == bare else shown", "if color else shown"),),
        ("tests/hostile/test_commands.py::test_logs_on_a_terminal_keep_their_colors_and_end_them",),
    ),
    Defence(
        "secrets-last",
        "secrets are looked for after control characters are gone",
        (
            Change(
                "text/redaction.py",
                "shown = hide_live_queries(strip_userinfo(redact(bare)))",
                "shown = hide_live_queries(strip_userinfo(strip_control_chars(redact(text))))",
            ),
        ),
        (f"{VIEWS}::test_plain_says_nothing_harmful[log..text]",),
    ),
    Defence(
        "long-user-parts",
        "a text of nothing but URLs takes no longer for its length",
        (Change("text/url_secrets.py", r"[^\s@'\"]{0,128}@", r"[^\s@'\"]*@"),),
        (f"{CLEAN}::test_a_long_text_takes_no_longer_for_what_it_repeats",),
    ),
    Defence(
        "long-lines",
        "no line of the plain view is longer than 199 characters",
        (Change("views/plain.py", "else [truncate_text(line.rstrip())]:", "else [line.rstrip()]:"),),
        (f"{VIEWS}::test_plain_says_nothing_harmful[log..text]",),
    ),
    Defence(
        "long-names",
        "a name, however wide, does not push what is said about it off the line",
        (Change("views/plain.py", "return elide_middle(text, _MAX_NAME_COLUMNS)", "return text"),),
        (f"{VIEWS}::test_no_text_swallows_the_words_beside_it",),
    ),
    Defence(
        "names-among-words",
        "a name of CI's is clean before it stands in a sentence, where two could part an escape sequence",
        (
            Change(
                "text/json_fields.py",
                "return strip_control_chars(read_text(json, key))",
                "return read_text(json, key)",
            ),
        ),
        ("tests/watch/test_failure_report.py::test_two_names_do_not_swallow_the_words_between_them",),
    ),
    Defence(
        "texts-of-the-cluster",
        "so is what the cluster says",
        (Change("kubectl/parse.py", "return strip_control_chars(found.get", "return (found.get"),),
        ("tests/kubectl/test_facts.py::test_text_of_the_cluster_has_no_control_characters",),
    ),
    Defence(
        "errors-of-kubectls",
        "so is what kubectl complains of",
        (
            Change(
                "kubectl/errors.py",
                "return truncate_text(strip_control_chars(cause), _MAX_TEXT_CHARS)",
                "return truncate_text(cause, _MAX_TEXT_CHARS)",
            ),
        ),
        ("tests/kubectl/test_answers.py::test_control_characters_in_an_error_are_taken_out",),
    ),
    Defence(
        "last-words",
        "so is a container's crash log",
        (
            Change(
                "kubectl/client.py", "text := truncate_text(strip_control_chars(line))", "text := truncate_text(line)"
            ),
        ),
        (
            "tests/deploy/kubernetes/test_crash_logs.py::test_they_are_reported_with_their_pod_and_the_command_for_the_rest",
        ),
    ),
    Defence(
        "words-of-a-servers",
        "so are the words of a proxy or a server",
        (
            Change(
                "ci/woodpecker/responses.py",
                'text = strip_control_chars(response.body.decode("utf-8", "replace"))',
                'text = response.body.decode("utf-8", "replace")',
            ),
        ),
        (
            "tests/ci/woodpecker/test_answers.py::test_a_proxys_own_words_are_reported_but_no_web_page",
            "tests/hostile/test_fuzz.py::test_what_was_found_stays_fixed",
        ),
    ),
    Defence(
        "pythons-words-about-addresses",
        "a malformed URL is rejected with what was expected",
        (Change("config/address.py", "    except ValueError:  # Python's own words", "    except KeyError:  # none"),),
        ("tests/cli/test_option_values.py::test_a_setting_that_is_rejected_says_what_was_expected",),
    ),
    Defence(
        "digits-of-a-dial",
        "a port has at most nine ASCII digits",
        (Change("config/address.py", "(?P<port4>[0-9]{1,9})", "(?P<port4>\\d+)"),),
        ("tests/cli/test_option_values.py::test_a_dial_has_ascii_digits",),
    ),
    Defence(
        "digits-of-a-count",
        "a number of lines has at most nine ASCII digits",
        (Change("cli/commands/ci/logs.py", 're.fullmatch(r"[0-9]{1,9}", text)', "text.isdecimal()"),),
        ("tests/cli/test_option_values.py::test_an_option_that_is_rejected_is_named_without_python_names",),
    ),
    Defence(
        "digits-of-a-version",
        "a server's version with other digits is a version",
        (Change("ci/woodpecker/traits.py", "([0-9]{1,9})\\.([0-9]{1,9})", "([^.]+)\\.([^.]+)"),),
        ("tests/ci/woodpecker/test_answers.py::test_a_version_that_is_not_two_numbers_counts_as_a_new_one",),
    ),
    Defence(
        "hosts-of-redirects",
        "so is the host that a redirect names",
        (
            Change(
                "ci/woodpecker/responses.py",
                "is_web and _LOCATION.fullmatch(location) and",
                "is_web and",
            ),
        ),
        ("tests/ci/woodpecker/test_answers.py::test_a_redirect_to_nowhere_is_not_a_usable_answer",),
    ),
    Defence(
        "words-of-a-push",
        "so are the words of a server's hook",
        (
            Change(
                "git/push_result.py",
                "lines = (truncate_text(strip_control_chars(strip_userinfo(line)))",
                "lines = (truncate_text(strip_userinfo(line))",
            ),
        ),
        ("tests/hostile/test_fuzz.py::test_a_reader_keeps_its_promise_whatever_comes[push]",),
    ),
    Defence(
        "log-lines",
        "a line of a step's log is shown as a terminal would show it, and does nothing else",
        (
            Change(
                "watch/log_tail.py",
                'return strip_control_chars(text.rstrip("\\r\\n").rpartition("\\r")[2], color=True)',
                'return text.rstrip("\\r\\n").rpartition("\\r")[2]',
            ),
        ),
        ("tests/watch/test_logs.py::test_a_line_is_shown_as_a_terminal_would_and_no_more",),
    ),
    Defence(
        "titles-of-logs",
        "so is the step's name above it: where it is read, put together and written; each would do",
        (
            Change("cli/commands/ci/logs.py", 'f"== {sanitize_text(title, redact)}"', 'f"== {title}"'),
            Change("watch/log_selection.py", "return strip_control_chars(f", "return (f"),
            Change(
                "text/json_fields.py",
                "return strip_control_chars(read_text(json, key))",
                "return read_text(json, key)",
            ),
        ),
        (f"{COMMANDS}::test_logs_in_a_pipe_are_text",),
    ),
    Defence(
        "table-of-pipelines",
        "the table that `ci status` draws is fit to be shown",
        (
            Change(
                "cli/commands/ci/status.py", "(sanitize_text(text, redact) for text in told)", "(text for text in told)"
            ),
        ),
        (f"{COMMANDS}::test_the_table_of_pipelines_is_text",),
    ),
    Defence(
        "table-of-settings",
        "so is the table of settings",
        (Change("cli/commands/config.py", ("sanitize_text(value.raw, redact)\n            if"), "value.raw if"),),
        (f"{COMMANDS}::test_settings_from_files_are_quoted_harmlessly",),
    ),
    Defence(
        "path-of-a-work-tree",
        "the path that `work start` prints does nothing on a terminal",
        (Change("cli/commands/work/start.py", "sanitize_text(str(path), runtime.redact) if", "str(path) if"),),
        (f"{COMMANDS}::test_the_path_of_a_work_tree_does_nothing_on_a_terminal",),
    ),
    Defence(
        "question",
        "the command that is agreed to is shown whole, and as it is",
        (
            Change(
                "app/command_trust.py", 'strip_control_chars(command.strip().replace("\\n", " ⏎ "))', "command.strip()"
            ),
        ),
        ("tests/land/test_command_trust.py::test_what_is_asked_about_is_shown_whole_and_does_nothing",),
    ),
    Defence(
        "notification",
        "a terminal that is rung gets our own words only",
        (
            Change(
                "hooks/background/notify.py",
                'title = f"homelab: {result.verdict} exit={int(result.exit)} {short_sha(result.sha)}"',
                'title = f"homelab: {result.verdict} {result.reason}"',
            ),
        ),
        (
            "tests/hooks/background/test_terminal.py::test_a_watch_in_the_background_rings_the_terminal_of_the_push_with_our_own_words",
        ),
    ),
    Defence(
        "foreign-terminals",
        "only the user's own terminal is written to",
        (
            Change(
                "system/terminal.py",
                ("os.isatty(descriptor)\n            and os.fstat(descriptor).st_uid == os.getuid()\n            and "),
                "",
            ),
        ),
        ("tests/hooks/background/test_terminal.py::test_what_is_not_a_terminal_is_left_alone",),
    ),
    Defence(
        "step-in-a-hint",
        "a step's name is quoted in the command that is offered",
        (Change("watch/failure_report.py", "--step {shlex.quote(name)}", "--step {name}"),),
        ("tests/watch/test_failure_report.py::test_the_command_for_the_rest_names_the_step_whatever_it_is_called",),
    ),
    Defence(
        "pod-in-a-hint",
        "so is a pod's",
        (Change("kubectl/client.py", 'return shlex.join(["kubectl",', 'return " ".join(["kubectl",'),),
        ("tests/kubectl/test_facts.py::test_the_command_for_a_log_names_the_pod_whatever_it_is_called",),
    ),
    Defence(
        "branch-in-a-hint",
        "so is a branch's",
        (Change("land/resume.py", "git switch {shlex.quote(state.branch)}", "git switch {state.branch}"),),
        ("tests/land/test_resume.py::test_the_branch_to_resume_from_is_named_whatever_it_is_called",),
    ),
    Defence(
        "remote-in-a-hint",
        "so is a remote's",
        (
            Change(
                "hooks/pre_push/target.py",
                "set-head {shlex.quote(name)} BRANCH",
                "set-head {name} BRANCH",
            ),
        ),
        ("tests/hooks/pre_push/test_gates.py::test_a_gate_that_cannot_tell_names_the_remote_whatever_it_is_called",),
    ),
    Defence(
        "remote-in-the-doctors-hint",
        "also where the doctor names it",
        (
            Change(
                "cli/commands/doctor/git.py",
                "git ls-remote {shlex.quote(remotes.format_remote_url(name))}",
                "git ls-remote {remotes.format_remote_url(name)}",
            ),
        ),
        ("tests/hooks/pre_push/test_gates.py::test_a_gate_that_cannot_tell_names_the_remote_whatever_it_is_called",),
    ),
    Defence(
        "completions",
        "completions offer only harmless names",
        (Change("../hatch_build.py", " | grep -xE '[A-Za-z0-9][A-Za-z0-9._/@+-]*'", ""),),
        ("tests/wheel/test_manuals.py::test_a_branch_whose_name_is_a_command_is_not_run_by_a_tab",),
    ),
    Defence(
        "stars-of-contexts",
        "a pattern of many stars, which a tracked file may name, is matched in proportion to its length",
        (
            Change(
                "text/context_glob.py",
                "    return bool(_advance(1, pattern, _ContextPlaces(places, len(context))) >> len(context))",
                "    return re.fullmatch(pattern.replace('*', '.*'), context) is not None",
            ),
        ),
        ("tests/ci/status/test_status.py::test_a_pattern_of_many_stars_takes_no_longer_for_their_number[*a*a*a*b]",),
    ),
    Defence(
        "stars-of-conditions",
        "so is one in a pipeline configuration",
        (Change("ci/woodpecker/conditions.py", 'f"(?>{piece})" if 0 <', 'f"(?:{piece})" if 0 <'),),
        ("tests/ci/woodpecker/test_conditions.py::test_a_pattern_of_many_stars_takes_no_longer_for_their_number",),
    ),
)
