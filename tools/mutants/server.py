"""What keeps a hostile or broken server from filling the memory, never ending, or lying."""

from __future__ import annotations

from tools.mutants.mutant import Change, Defence

ANSWERS = "tests/net/test_answers.py"
FOUND = "tests/hostile/test_fuzz.py::test_what_was_found_stays_fixed"
FUZZ = "tests/hostile/test_fuzz.py"
MACHINE = "tests/watch/test_machine.py"
REPLY = "net/message.py"
REVIEW = "tests/security/test_review.py"

SERVER = (
    Defence(
        "long-bodies",
        "a body has an end",
        (Change(REPLY, "        if size > max_bytes:\n", "        if False:\n"),),
        (f"{ANSWERS}::test_a_body_of_exactly_the_limit_is_taken_and_one_byte_more_is_not",),
    ),
    Defence(
        "bombs",
        "what was packed small is not unpacked beyond the limit",
        (Change(REPLY, "unpacker.decompress(body, max_bytes + 1)", "unpacker.decompress(body)"),),
        (f"{FUZZ}::test_a_bomb_is_not_a_body_and_is_never_unpacked",),
    ),
    Defence(
        "bombs-of-one-byte-too-many",
        "nor is it taken where it just exceeds it",
        (Change(REPLY, "    if len(unpacked) > max_bytes:\n", "    if False:\n"),),
        (f"{ANSWERS}::test_a_body_of_exactly_the_limit_is_taken_and_one_byte_more_is_not",),
    ),
    Defence(
        "parts-of-a-compressed-body",
        "a compressed body of many small parts is not copied again and again",
        (Change(REPLY, "for _ in range(MAX_GZIP_MEMBERS):", "while True:"),),
        (f"{ANSWERS}::test_a_body_that_cannot_be_decompressed_says_so",),
    ),
    Defence(
        "later-parts-of-a-compressed-body",
        "the limit is for all parts of a compressed body together",
        (Change(REPLY, "max_bytes - len(unpacked)", "max_bytes"),),
        (f"{ANSWERS}::test_an_encoding_that_was_not_requested_is_read",),
    ),
    Defence(
        "drips",
        "an answer that drips ends with its time",
        (
            Change(
                "net/pinned.py",
                "self._stream.read(max_bytes, self._deadline.remaining(timeout))",
                "self._stream.read(max_bytes, timeout)",
            ),
        ),
        (f"{ANSWERS}::test_no_answer_takes_longer_than_its_deadline",),
    ),
    Defence(
        "events-that-drip",
        "an event in single bytes is looked at once",
        (Change("ci/woodpecker/sse.py", "self._searched = max(0, len(self._buffer) - 2)", "self._searched = 0"),),
        (f"{FUZZ}::test_an_event_that_drips_takes_no_longer_for_its_length",),
    ),
    Defence(
        "events-without-an-end",
        "an event that does not end is not kept",
        (Change("ci/woodpecker/sse.py", "if len(self._buffer) > MAX_EVENT_BYTES:", "if False:"),),
        (f"{FUZZ}::test_an_event_without_an_end_is_not_kept",),
    ),
    Defence(
        "made-up-pipelines",
        "a stream that makes numbers up does not fill the memory",
        (Change("ci/woodpecker/stream.py", "if len(self._last_hints) > MAX_TRACKED_PIPELINES:", "if False:"),),
        (f"{FUZZ}::test_a_server_that_makes_numbers_up_does_not_fill_the_memory",),
    ),
    Defence(
        "made-up-hints",
        "nor does what it says about them",
        (Change("ci/woodpecker/stream.py", "self._hints[-50:]", "self._hints"),),
        (f"{FUZZ}::test_a_server_that_makes_numbers_up_does_not_fill_the_memory",),
    ),
    Defence(
        "ends-of-kubectl",
        "a kubectl that hangs has an end",
        (
            Change(
                "kubectl/client.py",
                "            return self._processes.run(argv, timeout=within)\n        listener",
                "            return self._processes.run(argv)\n        listener",
            ),
        ),
        ("tests/kubectl/test_facts.py::test_the_users_context_and_kubeconfig_pass_through_and_each_call_has_an_end",),
    ),
    Defence(
        "ends-of-remotes",
        "so has a remote that is asked something",
        (Change("git/command.py", "GitCall(timeout=timeout, settings=", "GitCall(settings="),),
        ("tests/git/test_repository.py::test_each_question_to_a_remote_has_an_end",),
    ),
    Defence(
        "ends-of-helpers",
        "and a credential helper",
        (Change("auth/git_credentials.py", "stdin=stdin, timeout=timeout)", "stdin=stdin, timeout=120.0)"),),
        ("tests/auth/test_find.py::test_a_helper_that_hangs_is_given_up",),
    ),
    Defence(
        "large-numbers",
        "a number larger than any there is makes no answer",
        (Change("text/json_fields.py", "if value is not None and abs(value) > MAX_INT:", "if False:"),),
        (FOUND,),
    ),
    Defence(
        "large-counts",
        "nor does one of the cluster's",
        (Change("kubectl/parse.py", "if abs(number) > MAX_INT:", "if False:"),),
        (FOUND,),
    ),
    Defence(
        "deep-answers",
        "JSON nested too deeply for Python is not an answer",
        (
            Change(
                "ci/woodpecker/responses.py",
                "_JSON_ERRORS = (ValueError, RecursionError)",
                "_JSON_ERRORS = (ValueError,)",
            ),
        ),
        (FOUND,),
    ),
    Defence(
        "deep-answers-of-kubectls",
        "nor is kubectl's",
        (Change("kubectl/client.py", "ArithmeticError, RecursionError)", "ArithmeticError)"),),
        (FOUND,),
    ),
    Defence(
        "deep-settings",
        "a tracked file of such a depth is malformed",
        (Change("config/files.py", "except (ValueError, RecursionError) as error:", "except ValueError as error:"),),
        (FOUND,),
    ),
    Defence(
        "deep-records",
        "a record of such a depth is none",
        (Change("hooks/background/registry.py", "AttributeError, RecursionError)", "AttributeError)"),),
        (FOUND,),
    ),
    Defence(
        "records-of-another-shape",
        "a record whose values are not of their kind is none",
        (Change("hooks/background/registry.py", "return _validate_record(WatchRecord(", "return (WatchRecord("),),
        ("tests/hooks/pre_push/test_parts.py::test_a_record_with_a_value_of_another_kind_is_none",),
    ),
    Defence(
        "states-of-another-shape",
        "the state of a landing whose values are not of their kind cannot be read",
        (
            Change(
                "land/state.py",
                "    require_types(\n"
                "        raw,\n"
                "        max_int=MAX_COUNT,\n"
                "        request=dict,\n"
                "        push_attempts=int,\n"
                "        push_unconfirmed=bool,\n"
                "        pull_number=int,\n"
                "        keeps_commit=bool,\n"
                "        tree_differs=bool,\n"
                "    )\n",
                "",
            ),
        ),
        (FOUND,),
    ),
    Defence(
        "deep-states",
        "nor can one of a depth that Python does not bear",
        (Change("land/state.py", "TypeError, RecursionError) as error", "TypeError) as error"),),
        (FOUND,),
    ),
    Defence(
        "times-of-retries",
        "how long a server asks us to wait is a number that can be waited for",
        (Change("net/retry_after.py", 'if re.fullmatch(r"[0-9]{1,9}", text):', "if text.isdigit():"),),
        ("tests/ci/woodpecker/test_answers.py::test_retry_after_is_read_by_the_servers_own_clock",),
    ),
    Defence(
        "hosts-without-a-name",
        "a URL without a host is not a forge's",
        (Change("git/remote_url.py", "    if not host:\n        return", "    if False:\n        return"),),
        (FOUND,),
    ),
    Defence(
        "web-pages",
        "a web page is not an answer of CI",
        (
            Change(
                "ci/woodpecker/responses.py",
                "    if response.is_html:\n        return",
                "    if False:\n        return",
            ),
        ),
        ("tests/ci/woodpecker/test_answers.py::test_no_usable_answer",),
    ),
    Defence(
        "certificates-are-believed-at-once",
        "a certificate that does not verify is a no, whatever was before",
        (
            Change(
                "ci/woodpecker/responses.py",
                'the token was not sent", final=True)',
                'the token was not sent")',
            ),
        ),
        (
            f"{MACHINE}::test_a_certificate_that_does_not_verify_ends_at_once_whatever_was_before",
            "tests/ci/woodpecker/test_answers.py::test_a_certificate_that_does_not_verify_is_a_final_no_with_the_remedy_for_its_cause",
        ),
    ),
    Defence(
        "unknown-statuses",
        "a status that we do not know is never success",
        (Change("ci/woodpecker/parse.py", "        return Status.UNKNOWN\n", "        return Status.SUCCESS\n"),),
        ("tests/test_examples.py::test_an_example_shows_what_it_says[ci/woodpecker/parse.py]",),
    ),
    Defence(
        "green-over-red",
        "a green pipeline with a red workflow has failed",
        (
            Change(
                "watch/ruling.py",
                "if pipeline.status is Status.SUCCESS and not failed:",
                "if pipeline.status is Status.SUCCESS:",
            ),
        ),
        (f"{MACHINE}::test_a_green_pipeline_with_a_red_workflow_has_failed",),
    ),
    Defence(
        "numbers-of-other-commits",
        "a number is not followed to another commit",
        (
            Change(
                "watch/observe.py",
                "for row in observation.rows if watch.accepts(row)",
                "for row in observation.rows if watch.scope.decides(row)",
            ),
        ),
        (
            f"{MACHINE}::test_a_created_row_that_goes_away_is_no_pipeline_and_its_number_is_not_followed",
            "tests/watch/test_ruling.py::test_another_commit_with_the_same_beginning_does_not_decide",
        ),
    ),
    Defence(
        "details-of-other-commits",
        "nor are workflows and steps of another commit believed",
        (
            Change(
                "watch/observe.py",
                "if detail is None or detail.commit != track.pipeline.commit:",
                "if detail is None:",
            ),
        ),
        ("tests/watch/test_machine.py::test_the_steps_of_another_commit_under_the_same_number_are_not_believed",),
    ),
    Defence(
        "streams-that-lie",
        "the event stream gives no verdict, and only an event stream is read as one",
        (
            Change(
                "net/http.py", 'if "event-stream" not in _read_headers(response).get("content-type", ""):', "if False:"
            ),
        ),
        ("tests/net/test_answers.py::test_what_is_not_an_event_stream_is_not_listened_to",),
    ),
    Defence(
        "silent-sources",
        "a Vault that is out of reach is not taken for one without a token",
        (Change("auth/lookup.py", "if any(failure.unreachable for failure in failures):", "if False:"),),
        (f"{REVIEW}::test_a_vault_that_is_out_of_reach_is_not_a_missing_token",),
    ),
    Defence(
        "options-as-they-are",
        "a push option that looks like a URL is passed on as it is",
        (
            Change(
                "git/command.py",
                "shown = (*args[:names], *map(strip_web_userinfo, args[names:]))",
                "shown = tuple(map(strip_web_userinfo, args))",
            ),
        ),
        (f"{REVIEW}::test_a_push_option_reaches_the_server_as_it_was_given",),
    ),
    Defence(
        "gate-that-cannot-ask",
        "a gate that is strict does not open where CI cannot be asked",
        (Change("cli/commands/hooks/ci_green.py", "or (args.strict and not landing)", "or False"),),
        ("tests/hooks/pre_push/test_gates.py::test_a_ci_that_cannot_be_asked_stops_no_push_but_strictly",),
    ),
    Defence(
        "other-push-urls",
        "a refusal of the remote's other push URLs is reported",
        (Change("land/steps.py", "for refusal in outcome.failed_elsewhere:", "for refusal in ():"),),
        ("tests/land/test_push_urls.py::test_a_refusal_of_another_push_url_is_a_warning",),
    ),
    Defence(
        "aborted-by-a-server-hook",
        "a refusal of the server's reference-transaction hook is final",
        (Change("git/push_result.py", " or _SERVER_HOOK_ABORTED.search(err):", ":"),),
        ("tests/git/test_push_result.py::test_a_reference_transaction_hook_of_the_server_refuses",),
    ),
    Defence(
        "statuses-of-fetches",
        "a refused fetch request is reported with its status, not as a web page",
        (Change("git/transport_error.py", 'r"RPC failed; HTTP 40[137]\\b"', 'r"RPC failed; HTTP 999"'),),
        ("tests/git/test_transport_error.py::test_the_cause_decides_kind_reason_and_hint",),
    ),
    Defence(
        "to-do-list-formats",
        "rebase.instructionFormat does not stop a rebase",
        (Change("git/worktree.py", ', "-c", "rebase.instructionFormat=",', ","),),
        ("tests/land/test_false_causes.py::test_a_format_of_the_to_do_list_does_not_stop_a_rebase",),
    ),
)
