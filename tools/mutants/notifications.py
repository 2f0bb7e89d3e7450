"""What a notification may say, and what its failure may not change."""

from __future__ import annotations

from tools.mutants.mutant import Change, Defence

DECISIONS = "tests/notify/test_decisions.py"
APPRISE = "tests/notify/test_apprise.py"
FOUND = "tests/hostile/test_fuzz.py::test_what_was_found_stays_fixed"
REAL = "tests/hooks/background/test_notify_url.py"

NOTIFICATIONS = (
    Defence(
        "notification-urls-are-hidden",
        "of a notification URL, only the scheme is shown",
        (
            Change(
                "config/resolve.py",
                "[hide_after_scheme(text) for text in texts] if setting.is_secret else texts",
                "list(texts)",
            ),
        ),
        (f"{DECISIONS}::test_a_setting_shows_only_the_schemes_of_the_urls",),
    ),
    Defence(
        "notification-urls-are-redacted",
        "the tokens in a notification URL are redacted wherever they appear",
        (Change("text/url_secrets.py", "if key.lower() == _NOTIFY_URL_KEY:", "if False:"),),
        (f"{DECISIONS}::test_every_part_of_a_url_that_may_be_a_token_is_redacted",),
    ),
    Defence(
        "notification-urls-from-git-config-only",
        "a tracked file cannot name where results are sent",
        (Change("config/schema.py", 'git="homelab.notifyUrl",', 'git="homelab.notifyUrl", tracked="notify-url",'),),
        (f"{DECISIONS}::test_a_tracked_file_and_the_environment_name_no_url",),
    ),
    Defence(
        "notification-text",
        "a notification has no secret and no control character",
        (Change("notify/message.py", "{sanitize_text(value, redact)}", "{value}"),),
        (f"{DECISIONS}::test_the_message_has_no_secret_no_second_line_of_the_reason_and_no_control_character",),
    ),
    Defence(
        "notification-check-sends-nothing",
        "the doctor checks notification URLs without sending",
        (Change("notify/apprise_send.py", 'if not job["kind"]:', "if False:"),),
        (f"{APPRISE}::test_a_check_finds_urls_that_apprise_cannot_use_and_sends_nothing",),
    ),
    Defence(
        "notification-limit",
        "a target that never answers ends after seconds",
        (Change("notify/apprise_job.py", "timeout=timeout_s)", "timeout=None)"),),
        (f"{APPRISE}::test_a_target_that_never_answers_is_given_up",),
    ),
    Defence(
        "notification-only-if-asked",
        "a command in the foreground notifies only if it took longer than homelab.notifyAfter",
        (Change("notify/occasion.py", "result.took >= after_s and ", ""),),
        (
            f"{DECISIONS}::test_a_command_that_waited_long_enough_notifies_if_that_was_asked_for",
            f"{REAL}::test_a_command_in_the_foreground_notifies_if_it_took_longer_than_asked",
        ),
    ),
    Defence(
        "notification-urls-with-an-address-in-the-query",
        "a password is known as such although an @ is also in the query",
        (
            Change(
                "text/url_secrets.py",
                "    users = (rest.rpartition",
                "    users = (rest.rpartition('@')[0],) or (rest.rpartition",
            ),
        ),
        (FOUND,),
    ),
    Defence(
        "notification-urls-of-any-scheme",
        "a text too long for a scheme is not shown as one",
        (Change("config/parsers.py", "[A-Za-z0-9+.-]{0,31}", "[A-Za-z0-9+.-]*"),),
        (FOUND,),
    ),
    Defence(
        "notification-urls-that-are-not-utf-8",
        "a secret that is not UTF-8 ends no command",
        (Change("text/redaction.py", ', errors="surrogatepass"', ""),),
        (FOUND,),
    ),
    Defence(
        "notification-tokens-of-digits",
        "a token may consist of digits",
        (Change("text/url_secrets.py", r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}", "[0-9.]+"),),
        (FOUND,),
    ),
    Defence(
        "notification-places-without-end",
        "the number of a target that a plugin has printed ends no command",
        (Change("notify/apprise_job.py", "[0-9]{1,9}", "[0-9]+"),),
        (FOUND,),
    ),
    Defence(
        "secrets-that-overlap-themselves",
        "a long secret that repeats itself is searched for in time that grows like the text",
        (Change("text/redaction.py", "        if 0 <= following < end:", "        if False:"),),
        ("tests/hostile/test_fuzz.py::test_a_secret_that_overlaps_itself_is_searched_for_once",),
    ),
)
