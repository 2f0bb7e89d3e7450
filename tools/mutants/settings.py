"""What a setting may name by mistake: a file that never ends, a host that cannot be one, a value no header carries."""

from __future__ import annotations

from tools.mutants.mutant import Change, Defence

FIND = "tests/auth/test_find.py"
SOURCES = "tests/config/test_sources.py"
NAMES = f"{SOURCES}::test_a_name_that_does_not_exist_is_a_usage_error"

SETTINGS = (
    Defence(
        "bundles-that-are-files",
        "a CA bundle is checked before OpenSSL opens it",
        (Change("app/runtime.py", "            files.check_ca_file(path)\n", "            path.stat()\n"),),
        (f"{SOURCES}::test_a_file_that_is_not_a_bundle_is_refused_by_the_setting_that_names_it[device-VAULT_CACERT]",),
    ),
    Defence(
        "bundles-of-vault",
        "SSL_CERT_FILE is checked for Vault too",
        (Change("app/ci_token.py", '"vault_ca" if config.vault_ca else "ca_file")', '"vault_ca")'),),
        (f"{SOURCES}::test_a_file_that_is_not_a_bundle_is_refused_by_the_setting_that_names_it[key-SSL_CERT_FILE]",),
    ),
    Defence(
        "bundles-with-certificates",
        "a file without a certificate is not a CA bundle",
        (Change("config/files.py", "if not _PEM_CERTIFICATE.search(content):", "if False:"),),
        (f"{SOURCES}::test_a_file_that_is_not_a_bundle_is_refused_by_the_setting_that_names_it[key-VAULT_CACERT]",),
    ),
    Defence(
        "large-bundles",
        "a CA bundle has a limit",
        (Change("config/files.py", "if len(content) > MAX_CA_FILE_BYTES:", "if False:"),),
        (f"{SOURCES}::test_a_file_that_is_not_a_bundle_is_refused_by_the_setting_that_names_it[huge-VAULT_CACERT]",),
    ),
    Defence(
        "token-files",
        "a token file that cannot be read is the reason, not an absent token",
        (Change("auth/vault.py", "    if vault.token_problem:\n", "    if False:\n"),),
        (f"{SOURCES}::test_a_vault_token_file_that_cannot_be_read_says_why[directory]",),
    ),
    Defence(
        "long-tokens",
        "a token that is a whole file is not sent",
        (Change("auth/lookup.py", "if len(value) > MAX_TOKEN_CHARS:", "if False:"),),
        (f"{FIND}::test_a_token_that_is_a_whole_file_is_denied_before_it_is_sent",),
    ),
    Defence(
        "hosts-that-can-be-names",
        "a host that IDNA cannot encode is a usage error",
        (Change("config/address.py", 'if host.isascii() and "xn--" not in host:', "if host.isascii():"),),
        (f"{NAMES}[WOODPECKER_SERVER-https://xn--a]",),
    ),
    Defence(
        "lengths-of-labels",
        "a label of a host has 1 to 63 characters",
        (Change("config/address.py", "[a-z0-9_-]{1,63}", "[a-z0-9_-]*"),),
        (f"{NAMES}[VAULT_ADDR-https://vault..example.test]",),
    ),
    Defence(
        "namespaces-in-headers",
        "a namespace that no header carries is a usage error",
        (Change("config/parsers.py", "if not text.isascii() or not text.isprintable() or", "if"),),
        (f"{NAMES}[VAULT_NAMESPACE-admin\\nteam]",),
    ),
    Defence(
        "causes-once",
        "the doctor reports a cause once: a check that needs another one is not judged beside its problem",
        (Change("cli/commands/doctor/parallel.py", "                if causes:\n", "                if False:\n"),),
        ("tests/cli/doctor/test_doctor.py::test_a_check_that_waits_for_one_without_end_is_not_judged",),
    ),
    Defence(
        "servers-without-a-token",
        "the doctor asks the server although there is no token yet",
        (Change("app/runtime.py", "self.token(config).value if token is None else token", "self.token(config).value"),),
        ("tests/cli/doctor/test_doctor.py::test_a_token_that_does_not_come_leaves_the_server_judged",),
    ),
    Defence(
        "redirects-within-vault",
        "a redirect of Vault to itself is not one to another server",
        (
            Change(
                "auth/vault.py",
                'if _is_same_server(response.headers.get(VAULT_LOCATION_HEADER, ""), vault.server):',
                "if False:",
            ),
        ),
        ("tests/auth/test_vault.py::test_a_redirect_within_vault_is_not_called_another_server",),
    ),
    Defence(
        "fields-without-a-token",
        "a field that is empty is not a missing one",
        (Change("auth/vault.py", "    if value is None:\n", "    if True:\n"),),
        ("tests/auth/test_vault.py::test_a_field_that_is_there_is_not_called_missing",),
    ),
    Defence(
        "data-that-is-null",
        "a response of Vault without data is not another server's",
        (Change("auth/vault.py", 'if data is None and "request_id" in answer:', "if False:"),),
        ("tests/auth/test_vault.py::test_an_answer_that_is_none_is_reported_as_such",),
    ),
    Defence(
        "keys-of-many-parts",
        "a tracked file cannot fill the memory with a key of many parts",
        (Change("config/files.py", '        if line.count(b".") > MAX_LINE_DOTS:', "        if False:"),),
        ("tests/config/test_sources.py::test_a_tracked_file_that_would_take_too_much_is_malformed",),
    ),
    Defence(
        "large-tracked-files",
        "nor with its length",
        (Change("config/files.py", "    if len(content) > MAX_TRACKED_FILE_BYTES:", "    if False:"),),
        ("tests/config/test_sources.py::test_a_tracked_file_that_would_take_too_much_is_malformed",),
    ),
)
