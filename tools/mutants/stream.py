"""What keeps an event stream that is silent, floods or lies from delaying a verdict or causing requests."""

from __future__ import annotations

from tools.mutants.mutant import Change, Defence

LISTENER = "ci/woodpecker/stream.py"
ESTIMATE = "watch/estimate.py"
STREAM_TEST = "tests/watch/test_stream.py"

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
)
