"""Defences of the links that ask a forge: what is never success, and where the log of a job comes from."""

from __future__ import annotations

from tools.mutants.mutant import Change, Defence

ACTIONS = "tests/ci/actions/test_actions.py"
LOGS = "tests/ci/actions/test_log_redirect.py"
STATUSES = "tests/ci/status/test_status.py"
REDIRECT = "net/download_redirect.py"

FORGE_LINKS = (
    Defence(
        "actions-late-runs",
        "success waits for the runs of a push that appear late",
        (Change("ci/actions/traits.py", "LATE_RUNS_S = 15.0", "LATE_RUNS_S = 0.0"),),
        (f"{ACTIONS}::test_a_run_that_appears_late_still_decides",),
    ),
    Defence(
        "actions-rerun",
        "a run that is queued again after its end counts again",
        (Change("ci/forge_api.py", "(was_final and not status.is_final)", "0"),),
        (f"{ACTIONS}::test_a_run_that_is_run_again_counts_anew",),
    ),
    Defence(
        "actions-skipped-alone",
        "a skipped run is not a success without another one that is",
        (Change("watch/ruling.py", "if has_passed and isinstance(ruling, Ruling)", "if isinstance(ruling, Ruling)"),),
        (f"{ACTIONS}::test_what_did_nothing_passes_beside_a_success_only",),
    ),
    Defence(
        "actions-hidden-jobs",
        "a green run whose jobs cannot be listed is not a success",
        (Change("ci/actions/traits.py", "needs_workflows=True", "needs_workflows=False"),),
        (f"{ACTIONS}::test_a_green_run_whose_jobs_cannot_be_listed_is_not_success",),
    ),
    Defence(
        "actions-other-branches",
        "a run of the same commit on another branch does not decide",
        (
            Change(
                "ci/actions/parse.py",
                'return ref.removeprefix(_BRANCH_PREFIX) if ref.startswith(_BRANCH_PREFIX) else ""',
                'return "main"',
            ),
        ),
        (f"{ACTIONS}::test_runs_of_another_event_or_branch_do_not_decide",),
    ),
    Defence(
        "actions-pace",
        "a forge is asked once in five seconds",
        (
            Change(
                "watch/poll_interval.py",
                "return max(_base_delay(watch, now), watch.rules.request_interval_s)",
                "return _base_delay(watch, now)",
            ),
        ),
        (f"{ACTIONS}::test_a_watch_of_ten_minutes_asks_once_in_five_seconds",),
    ),
    Defence(
        "log-redirect-private",
        "the redirect of a log does not lead into a private network",
        (Change(REDIRECT, "if not is_own_private and any(", "if is_own_private and any("),),
        (f"{LOGS}::test_a_redirect_into_a_private_network_is_refused",),
    ),
    Defence(
        "log-redirect-translated",
        "nor does it at an IPv6 address that a translator or a tunnel leads to a private IPv4 address",
        (Change(REDIRECT, "found = _find_carried_ipv4(found) or found", "found = found.ipv4_mapped or found"),),
        (f"{LOGS}::test_an_ipv6_form_of_a_private_address_is_private",),
    ),
    Defence(
        "log-redirect-https",
        "the redirect of a log is followed over https only",
        (
            Change(
                REDIRECT,
                'if server.scheme != "https" and server.origin != origin.origin:',
                'if server.scheme not in ("http", "https"):',
            ),
        ),
        (f"{LOGS}::test_no_other_scheme_and_no_credential_is_followed",),
    ),
    Defence(
        "log-redirect-credential",
        "a redirect with a user name is not followed",
        (
            Change(
                REDIRECT,
                "if parts.username is not None or parts.password is not None:",
                "if parts.netloc == parts.scheme:",
            ),
            Change(REDIRECT, "{parts.scheme}://{parts.netloc}", "{parts.scheme}://{parts.hostname}"),
        ),
        (f"{LOGS}::test_no_other_scheme_and_no_credential_is_followed",),
    ),
    Defence(
        "log-redirect-token",
        "the request to the host of a log carries no token",
        (
            Change(
                "ci/actions/log_download.py",
                'HttpRequest("GET", place.target)',
                'HttpRequest("GET", place.target, b"", {"Authorization": "x"})',
            ),
        ),
        (f"{LOGS}::test_the_token_is_sent_to_the_forge_only",),
    ),
    Defence(
        "forge-links-one-connector",
        "the links of a chain share what they know about the origins that received a variable's token",
        (
            Change(
                "app/follow_setup.py",
                "connect_forges=cache(self._connect_forges)",
                "connect_forges=self._connect_forges",
            ),
        ),
        ("tests/watch/test_forge_links.py::test_a_variable_reaches_the_first_of_two_forges_only",),
    ),
    Defence(
        "status-all-pages",
        "a red status on a later page is seen",
        (Change("polling/pages.py", "if len(poll.value) < page_size:", "if poll.value:"),),
        (f"{STATUSES}::test_a_red_context_on_the_last_page_is_seen",),
    ),
    Defence(
        "status-named",
        "only the named contexts prove anything",
        (Change("ci/status/client.py", "if matches_context(self._pattern, one.context))", "if one.context)"),),
        (f"{STATUSES}::test_another_green_context_proves_nothing",),
    ),
    Defence(
        "status-one-more-poll",
        "a context that appears in the next poll decides too",
        (Change("ci/status/traits.py", "late_runs_s=interval,", "late_runs_s=0.0,"),),
        (f"{STATUSES}::test_a_context_that_appears_in_the_next_poll_decides",),
    ),
)
