"""What keeps an event stream that is silent, floods or lies from delaying a verdict or causing requests."""

from __future__ import annotations

from tools.mutants.mutant import Change, Defence

LISTENER = "ci/woodpecker/stream.py"
ESTIMATE = "watch/estimate.py"
STREAM_TEST = "tests/watch/test_stream.py"
LOG_READER = "ci/woodpecker/log_stream.py"
OUTPUT_TEST = "tests/watch/test_step_output.py"

STREAM = (
    Defence(
        "signs-of-life",
        "only pings and valid events show that a stream is up",
        (Change("ci/woodpecker/sse.py", "hints[-1] is not None or event.strip() == PING", "True"),),
        (f"{STREAM_TEST}::test_garbage_is_not_a_sign_of_life",),
    ),
    Defence(
        "proven-streams",
        "a stream is relied on only after it has shown that it reports changes",
        (Change(ESTIMATE, "stream_reliable=is_proven and", "stream_reliable=observation.stream_up and"),),
        (f"{STREAM_TEST}::test_it_delays_no_end_of_a_pipeline_that_ran_before_the_watch_began",),
    ),
    Defence(
        "streams-of-garbage",
        "a stream without pings or events is opened again",
        (
            Change(
                LISTENER,
                '                    raise MalformedStream("neither pings nor events")\n',
                "                    pass\n",
            ),
        ),
        (f"{STREAM_TEST}::test_a_stream_of_garbage_is_opened_again",),
    ),
    Defence(
        "floods-of-changes",
        "a stream that floods does not wake the watch each time",
        (Change(LISTENER, "(is_change and self._take_quick_wake())", "is_change"),),
        (f"{STREAM_TEST}::test_a_flood_of_changes_of_our_pipeline_costs_few_requests",),
    ),
    Defence(
        "ends-announced-in-vain",
        "an end that is announced again and again does not make the watch poll often for ever",
        (Change(ESTIMATE, "    if now < watch.fast_until + pause:\n        return watch\n", ""),),
        (f"{STREAM_TEST}::test_a_flood_of_changes_of_our_pipeline_costs_few_requests",),
    ),
    Defence(
        "long-logs",
        "the log stream of a step is bounded in bytes",
        (Change(LOG_READER, "self._received_bytes > MAX_STREAM_BYTES", "False"),),
        (f"{OUTPUT_TEST}::test_a_stream_is_bounded_in_bytes",),
    ),
    Defence(
        "floods-of-lines",
        "of many lines at once only the last are passed on",
        (Change(LOG_READER, "self._parser.feed(chunk)[-MAX_LINES_PER_CHUNK:]", "self._parser.feed(chunk)"),),
        (f"{OUTPUT_TEST}::test_of_many_lines_at_once_only_the_last_are_passed_on",),
    ),
    Defence(
        "late-lines",
        "no line of a step is passed on once its stream is closed",
        (Change(LOG_READER, "            if self._is_closed:\n                raise _StreamClosed\n", ""),),
        (f"{OUTPUT_TEST}::test_nothing_is_passed_on_after_close",),
    ),
    Defence(
        "many-log-streams",
        "a watch opens few log streams",
        (Change("watch/step_output.py", " and len(self._opened) < MAX_STREAMS", ""),),
        (f"{OUTPUT_TEST}::test_the_number_of_streams_is_bounded",),
    ),
)
