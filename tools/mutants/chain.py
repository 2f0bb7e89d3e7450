"""Defences of the chain that follows a push: what a link may be, where it asks, and what it believes."""

from __future__ import annotations

from tools.mutants.mutant import Change, Defence

MIRROR, LIVE, SOURCE = "follow/mirror.py", "follow/live.py", "follow/live_source.py"
FOLLOW = "tests/follow/test_"

CHAIN = (
    Defence(
        "commands-from-the-file",
        "a tracked file cannot name a command to run after the push",
        (Change("config/resolve.py", "if commands:", "if False:"),),
        ("tests/config/test_table.py::test_a_tracked_file_cannot_name_a_command_to_run_after_the_push",),
    ),
    Defence(
        "queries-in-names",
        "the query of a live link's URL, which may hold a key, is in no name that is printed or saved",
        (Change("config/link_spec.py", 'name = f"live:{server.origin}{place}"', 'name = f"live:{url}"'),),
        ("tests/config/test_link_spec.py::test_the_query_is_sent_and_never_shown",),
    ),
    Defence(
        "redirects-of-live-links",
        "a redirect to another host is not followed",
        (Change(SOURCE, "not url.isprintable() or to.host != server.host:", "not url.isprintable():"),),
        (f"{FOLLOW}live_source.py::test_a_redirect_elsewhere_is_not_followed",),
    ),
    Defence(
        "malformed-redirects-of-live-links",
        "a redirect whose address is malformed is not followed",
        (
            Change(
                "follow/live_source.py",
                "    try:\n        url = urljoin(server.origin + target, location)\n",
                "    url = urljoin(server.origin + target, location)\n    try:\n",
            ),
        ),
        ("tests/hostile/test_fuzz.py::test_what_was_found_stays_fixed",),
    ),
    Defence(
        "redirects-to-other-ports",
        "nor is one to another port of the host",
        (Change(SOURCE, "if not is_upgrade and (to.scheme, to.port) != (server.scheme, server.port):", "if False:"),),
        (f"{FOLLOW}live_source.py::test_a_redirect_elsewhere_is_not_followed",),
    ),
    Defence(
        "interrupted-settling",
        "an answer without the commit starts the settle time again",
        (
            Change(
                LIVE, "if answer.shown is Shown.OURS else None", "if answer.shown is Shown.OURS else state.ours_since"
            ),
        ),
        (f"{FOLLOW}live.py::test_success_means_that_the_commit_was_named_through_the_whole_settle_time",),
    ),
    Defence(
        "statuses-of-live-links",
        "an error page proves nothing, whatever it says",
        (Change("follow/live_answer.py", "if answer.status not in OK_STATUSES:", "if False:"),),
        (f"{FOLLOW}live_answer.py::test_a_status_without_an_answer_names_nothing_whatever_its_body_says",),
    ),
    Defence(
        "outages-as-lag",
        "the time of an outage does not count as a mirror's lag",
        (
            Change(
                MIRROR,
                "elif now - state.began - state.out_of_contact_s >= limits.appear:",
                "elif now - state.began >= limits.appear:",
            ),
        ),
        (f"{FOLLOW}mirror.py::test_the_time_of_an_outage_does_not_count_as_lag",),
    ),
    Defence(
        "rewritten-mirrors",
        "a mirror is asked at the URL that is written, not where insteadOf leads",
        (
            Change(
                "git/remotes.py",
                '"ls-remote", "--", WRITTEN_URL, _HEADS + branch,',
                '"ls-remote", "--", url, _HEADS + branch,',
            ),
        ),
        ("tests/git/test_mirror_url.py::test_a_mirror_is_asked_at_the_url_that_is_written",),
    ),
    Defence(
        "links-after-a-failure",
        "no link begins after one that did not succeed",
        (
            Change(
                "follow/chain.py",
                "if last.exit is ExitCode.OK and len(verdicts) < len(resume_commands):",
                "if len(verdicts) < len(resume_commands):",
            ),
        ),
        (f"{FOLLOW}chain.py::test_no_link_begins_after_one_that_did_not_succeed",),
    ),
    Defence(
        "foreign-receipts",
        "a file that is something else is not a receipt",
        (Change("follow/receipts.py", "return _checked(Receipt(", "return (Receipt("),),
        (f"{FOLLOW}receipts.py::test_something_else_is_no_receipt",),
    ),
)
