"""What keeps another server's response from passing for CI's, and a cause from getting another one's remedy."""

from __future__ import annotations

from tools.mutants.mutant import Change, Defence

ACCESS = "tests/watch/test_access.py"
ANSWERS = "tests/ci/woodpecker/test_answers.py"
DOCTOR = "tests/cli/doctor/test_misconfigurations.py"
FAILURES = "tests/net/test_failures.py"
FOREIGN = "tests/ci/woodpecker/test_foreign.py"
PROXY = "tests/net/test_proxy.py"
RESPONSES = "ci/woodpecker/responses.py"

RESPONDER = (
    Defence(
        "whose-refusal",
        "a 401 of a proxy is not a refusal of the token",
        (Change(RESPONSES, "return is_unmarked(response) and not transient", "return False"),),
        (f"{FOREIGN}::test_another_servers_response_is_not_a_refusal_and_names_it[forward-auth]",),
    ),
    Defence(
        "foreign-from-the-first",
        "another server from the first response on is denied after three",
        (Change("watch/contact.py", "contact.foreign >= MAX_FOREIGN", "False"),),
        (f"{FOREIGN}::test_another_server_from_the_first_response_on_is_denied_after_three",),
    ),
    Defence(
        "foreign-after-success",
        "another server's responses after good ones are timed",
        (Change("watch/contact.py", "and not contact.ever_answered ", ""),),
        (f"{FOREIGN}::test_another_servers_responses_after_good_ones_are_timed",),
    ),
    Defence(
        "servers-that-are-down",
        "the page of a proxy whose server is down is not another server",
        (
            Change(
                RESPONSES,
                "    return is_unmarked(response) and not transient\n",
                "    return is_unmarked(response)\n",
            ),
        ),
        (f"{FOREIGN}::test_a_proxy_whose_server_is_down_is_not_another_server",),
    ),
    Defence(
        "removed-headers",
        "a proxy that removes the version header is known by the health check",
        (Change("ci/woodpecker/client.py", "return if_own if may_be_own and", "return if_own if False and"),),
        (f"{FOREIGN}::test_a_proxy_that_removes_the_version_is_known_by_the_health_check",),
    ),
    Defence(
        "exempted-health-checks",
        "a health check with the version does not make the API's refusal Woodpecker's",
        (Change("ci/woodpecker/client.py", "health.status == HEALTHY_STATUS_CODE and is_unmarked(health)", "True"),),
        (f"{FOREIGN}::test_a_login_that_exempts_the_health_check_is_not_woodpeckers",),
    ),
    Defence(
        "users-of-other-apis",
        "a user of another server's API does not make its other responses an outage",
        (Change("watch/poller.py", "self._token_accepted and not poll.never_recognized", "self._token_accepted"),),
        (f"{FOREIGN}::test_the_user_of_another_servers_api_is_not_an_answer_of_ci",),
    ),
    Defence(
        "pages-behind-such-a-proxy",
        "a web page is not a refusal of Woodpecker's, also where the version header is removed",
        (Change("ci/woodpecker/client.py", " and not response.is_html  #", "  #"),),
        (f"{FOREIGN}::test_a_server_whose_version_is_removed_is_timed_after_its_user_was_found",),
    ),
    Defence(
        "recognized-by-health",
        "a proxy that removes the version header is recognized when the user is found",
        (
            Change(
                "ci/woodpecker/client.py",
                "            self._health_checked = True\n            self._is_header_removed(client)\n",
                "            self._health_checked = True\n",
            ),
        ),
        (f"{FOREIGN}::test_a_server_whose_version_is_removed_is_timed_after_its_user_was_found",),
    ),
    Defence(
        "refusals-of-a-proxy",
        "a proxy that rejects a connection is named, with what it responded",
        (Change("net/http.py", "if isinstance(error, httpcore.ProxyError) and self._refusal:", "if False:"),),
        (f"{FAILURES}::test_a_proxy_that_rejects_a_connection_is_named",),
    ),
    Defence(
        "portals-instead-of-a-proxy",
        "a redirect or a 511 of a proxy is a captive portal",
        (Change("net/failures.py", "status in REDIRECT_STATUSES or ", ""),),
        (f"{FAILURES}::test_a_proxy_that_rejects_a_connection_is_named",),
    ),
    Defence(
        "ports-without-tls",
        "https to a port without TLS is a wrong address",
        (Change("net/failures.py", "    if name in _NO_TLS_REASONS:\n", "    if False:\n"),),
        (f"{FAILURES}::test_https_to_a_port_without_tls_is_a_wrong_address",),
    ),
    Defence(
        "openings-of-other-protocols",
        "the first bytes of a response show TLS and SSH",
        (Change("net/pinned.py", "        self._opening.add(data)\n", ""),),
        (f"{FAILURES}::test_http_to_a_port_of_another_protocol_says_which",),
    ),
    Defence(
        "openings-of-earlier-requests",
        "only the first bytes of this request's response count",
        (
            Change(
                "net/http.py",
                "        self._opening.clear()\n        self._refusal = None\n",
                "        self._refusal = None\n",
            ),
        ),
        (f"{FAILURES}::test_a_connection_that_is_closed_without_a_byte_may_be_one_of_tls",),
    ),
    Defence(
        "pages-in-front-of-vault",
        "a 403 or 503 of another server says nothing about the Vault token or the seal",
        (Change("auth/vault.py", "    if not _is_vaults(response):\n", "    if False:\n"),),
        ("tests/auth/test_vault.py::test_a_page_in_front_of_vault_says_nothing_about_the_vault_token",),
    ),
    Defence(
        "another-server-instead-of-vault",
        "another server instead of Vault is tried three times",
        (Change("ci/connection.py", "    if isinstance(problem, WrongServerError):\n", "    if False:\n"),),
        ("tests/watch/test_token_away.py::test_another_server_instead_of_vault_is_denied_after_three",),
    ),
    Defence(
        "dates-to-retry-after",
        "all three forms of an HTTP date are read",
        (
            Change(
                "net/retry_after.py",
                "date.replace(tzinfo=UTC) if date.tzinfo is None else date",
                "date",
            ),
        ),
        (f"{ANSWERS}::test_retry_after_is_read_by_the_servers_own_clock",),
    ),
    Defence(
        "responses-without-a-date",
        "a date counts from the receipt of a response that has none",
        (Change("net/http.py", 'if "date" not in headers:', "if False:"),),
        (f"{ANSWERS}::test_a_date_to_retry_after_counts_from_the_receipt_of_a_response_without_a_date",),
    ),
    Defence(
        "blips-before-a-landing",
        "a 503 in the first seconds of the preflight does not refuse a landing",
        (Change("polling/retry.py", "if not may_succeed(poll, tries) or ", "if True or "),),
        (f"{ACCESS}::test_what_passes_within_the_time_of_the_check_is_ridden_out",),
    ),
    Defence(
        "networks-in-no-proxy",
        "NO_PROXY may name networks",
        (Change("net/proxy.py", "ipaddress.ip_network(text, strict=False)", "ipaddress.ip_network(f'{text}/128')"),),
        (f"{PROXY}::test_what_no_proxy_names_is_reached_directly",),
    ),
    Defence(
        "ports-in-no-proxy",
        "a port in NO_PROXY names that port only",
        (Change("net/proxy.py", '(parts["port"] and int(parts["port"]) != port)', "False"),),
        (f"{PROXY}::test_what_no_proxy_does_not_name_is_reached_through_the_proxy",),
    ),
    Defence(
        "remedies-by-cause",
        "an expired certificate is renewed, not trusted",
        (
            Change(
                "net/certificate.py", "    10: CertificateFault.EXPIRED,\n", "    10: CertificateFault.UNKNOWN_CA,\n"
            ),
        ),
        (f"{DOCTOR}::test_a_certificate_that_does_not_verify_is_found_with_the_remedy_for_its_cause[expired]",),
    ),
    Defence(
        "short-lived-certificates",
        "a certificate that renews itself is not a warning",
        (Change("net/certificate.py", "(self.expires - self.begins) / 10", "14 * 86400"),),
        (f"{DOCTOR}::test_a_certificate_is_due_in_the_last_tenth_of_its_lifetime[half is left]",),
    ),
    Defence(
        "forges-as-ci",
        "the doctor says that the forge is not CI",
        (Change("cli/commands/doctor/ci.py", "    if stranger is None:\n", "    if stranger is None or True:\n"),),
        (f"{DOCTOR}::test_what_is_wrong_is_found_with_its_remedy[the forge instead of CI]",),
    ),
    Defence(
        "dot-segments",
        "a repository's name leads to no other endpoint",
        (Change("ci/woodpecker/client.py", 'not all(segments) or {".", ".."} & set(segments)', "False"),),
        ("tests/ci/woodpecker/test_client.py::test_a_name_that_leads_to_another_endpoint_is_not_asked_for",),
    ),
    Defence(
        "two-dashes",
        "two dashes are a value of an option like any other",
        (Change("cli/main.py", 'if arg_strings == ["--"] and ', "if False and "),),
        ("tests/cli/test_option_values.py::test_two_dashes_are_a_value_like_any_other",),
    ),
    Defence(
        "unmarked-among-marked",
        "a usable response without the version, of a server that sends it otherwise, is not believed",
        (Change("ci/woodpecker/client.py", "describe_foreign(response) if self._marks_responses else", ""),),
        (f"{FOREIGN}::test_another_servers_responses_after_good_ones_are_timed[another API's list]",),
    ),
    Defence(
        "foreign-after-the-token",
        "another server's responses are timed as soon as the token was accepted",
        (Change("watch/poller.py", "answered_before=self._token_accepted", "answered_before=False"),),
        (f"{FOREIGN}::test_they_are_timed_as_soon_as_the_token_was_accepted",),
    ),
    Defence(
        "refusals-of-the-first-list",
        "a refusal is timed as soon as the repository was found",
        (Change("watch/poller.py", "worked_before=self.repo is not None", "worked_before=False"),),
        ("tests/watch/test_time.py::test_a_refusal_of_the_first_list_is_ridden_out",),
    ),
)
