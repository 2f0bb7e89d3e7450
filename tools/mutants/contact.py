"""What keeps a watch from giving up too early, or too late: silence, refusals and absence are told apart."""

from __future__ import annotations

from tools.mutants.mutant import Change, Defence

CONTACT = "tests/polling/test_contact.py"
TIME = "tests/watch/test_time.py"

WAITING = (
    Defence(
        "refusals-are-timed",
        "a refusal after success is given the time of a silence",
        (
            Change(
                "polling/contact.py",
                "is_timed_out(contact, now, timeout=timeout) and (refused_only",
                "contact.refusals > 2 and (refused_only",
            ),
        ),
        (f"{TIME}::test_a_refusal_after_success_is_ridden_out",),
    ),
    Defence(
        "silence-is-of-requests",
        "silence counts from the first request that failed",
        (Change("polling/contact.py", "max(contact.silent_since, asked_at)", "contact.silent_since"),),
        (f"{TIME}::test_time_in_which_nothing_was_asked_is_not_silence",),
    ),
    Defence(
        "stopped-in-a-request",
        "a request during which the process was stopped is not a silence",
        (Change("polling/contact.py", "now if was_stopped else asked_at", "asked_at"),),
        (f"{TIME}::test_a_process_that_was_stopped_during_a_request_resumes",),
    ),
    Defence(
        "asked-to-wait",
        "nothing is requested before the time that a server asked to wait is over",
        (Change("polling/loop.py", "clock.now() < decision.request_at", "False"),),
        (f"{TIME}::test_a_server_that_asks_to_wait_is_not_asked_earlier_and_is_reported_as_lost",),
    ),
    Defence(
        "lost-while-asked-to-wait",
        "a long Retry-After does not delay the report of lost contact",
        (Change("polling/contact.py", "min(pause, until_report) if until_report > 0 else pause", "pause"),),
        (f"{TIME}::test_a_server_that_asks_to_wait_is_not_asked_earlier_and_is_reported_as_lost",),
    ),
    Defence(
        "heartbeat-while-asked-to-wait",
        "a long Retry-After does not delay the heartbeat",
        (Change("watch/poll_interval.py", "return min(delay, heartbeat)", "return delay"),),
        (f"{TIME}::test_a_server_that_asks_to_wait_is_not_asked_earlier_and_is_reported_as_lost",),
    ),
    Defence(
        "last-request-at-the-timeout",
        "a server that asked to wait past the timeout is asked once more at its end",
        (
            Change(
                "watch/poll_interval.py",
                "min(watch.contact.retry_at, now + _seconds_left(watch, now))",
                "watch.contact.retry_at",
            ),
        ),
        (f"{TIME}::test_a_server_that_asks_to_wait_past_the_timeout_is_asked_once_at_its_end",),
    ),
    Defence(
        "heartbeat-before-a-hang",
        "requests that hang until their deadline do not delay the heartbeat",
        (Change("watch/stall.py", "next_at + REQUEST_TIMEOUT_S if hangs else now", "now"),),
        (f"{TIME}::test_a_heartbeat_comes_every_minute_while_every_request_hangs",),
    ),
    Defence(
        "stopped-in-a-sleep",
        "time in which the process was stopped is not counted by any timeout",
        (Change("polling/active_clock.py", "if late > MAX_LATE_WAKE_S:", "if False:"),),
        (f"{TIME}::test_a_process_that_was_stopped_waits_on_for_a_pipeline_to_appear",),
    ),
    Defence(
        "appear-in-contact",
        "the appear-timeout counts time in contact",
        (Change("watch/contact.py", "out_of_contact_s=watch.out_of_contact_s + silent", "out_of_contact_s=0.0"),),
        (f"{TIME}::test_the_appear_timeout_counts_time_in_contact",),
    ),
    Defence(
        "red-at-the-timeout",
        "a red pipeline beside a running one is red at the timeout",
        (
            Change(
                "watch/machine.py",
                "if choose_worst_exit((*decided, ExitCode.TIMEOUT)) is ExitCode.TIMEOUT:",
                "if True:",
            ),
        ),
        (f"{TIME}::test_a_decided_pipeline_beside_a_running_one_counts_at_the_timeout",),
    ),
    Defence(
        "pending-in-time",
        "what holds up a pending pipeline is reported after 30 seconds, also with the stream up",
        (Change("watch/poll_interval.py", "for at in queue_check_times(watch) if at > now", "for at in ()"),),
        (f"{TIME}::test_what_holds_up_a_pending_pipeline_is_reported_after_thirty_seconds",),
    ),
    Defence(
        "heartbeat-in-time",
        "a heartbeat comes a minute after the last event, also with the stream up",
        (Change("watch/poll_interval.py", "        delay = heartbeat\n", "        pass\n"),),
        (f"{TIME}::test_a_heartbeat_comes_every_minute",),
    ),
)
