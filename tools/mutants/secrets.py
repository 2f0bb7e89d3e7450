"""What keeps tokens and passwords where they belong."""

from __future__ import annotations

from tools.mutants.mutant import ENDS, REQUESTS, Change, Defence, canary_test

AGREEMENT = "tests/land/test_command_trust.py"
FIND = "tests/auth/test_find.py"
PARTS = "tests/hooks/pre_push/test_parts.py"
REVIEW = "tests/security/test_review.py"
STATE = f"{ENDS}::test_the_state_of_a_landing_has_no_password_and_is_its_users_alone"
TABLE = "tests/config/test_table.py"
TEXT = "tests/hostile/test_text.py"
RUNTIME = "app/runtime.py"

LIVE = "tests/security/test_live_urls.py"

SECRETS = (
    Defence(
        "live-queries",
        "the query of a live URL is in no output, resume commands included",
        (
            Change(
                "text/redaction.py", "hide_live_queries(strip_userinfo(redact(bare)))", "strip_userinfo(redact(bare))"
            ),
        ),
        (f"{TEXT}::test_the_query_of_a_live_url_is_in_no_text",),
    ),
    Defence(
        "live-queries-of-landings",
        "nor is it in the state of a landing",
        (Change("cli/commands/work/land.py", "options.hide_queries(value)", "value"),),
        (f"{LIVE}::test_the_query_is_sent_and_in_no_output_and_no_file[conflict-plain]",),
    ),
    Defence(
        "live-queries-of-resumed-waits",
        "a URL whose query is hidden is not asked without it",
        (Change("config/link_spec.py", 'return self.target.endswith(f"?{HIDDEN_QUERY}")', "return False"),),
        ("tests/follow/test_follow_command.py::test_a_link_that_can_never_begin_is_a_usage_error",),
    ),
    Defence(
        "own-environment",
        "our tokens leave the process's own environment, which libraries pass on",
        (Change(RUNTIME, "os.environ.pop(name, None)", "os.environ.get(name)"),),
        (canary_test("work land-landed-json"),),
    ),
    Defence(
        "children",
        "children do not get our tokens",
        (
            Change(
                RUNTIME,
                ("self.environ.items() if name not in (*TOKEN_VARIABLES, JOB_VARIABLE)\n        }"),
                "self.environ.items()}",
            ),
        ),
        (canary_test("ci watch-green-plain"),),
    ),
    Defence(
        "notifying-command",
        "the command that hears how a watch ended has none of our tokens",
        (
            Change(
                "app/push_watch.py",
                "runner=runtime.user_command_runner,",
                "runner=runtime.hook_runner,",
            ),
        ),
        ("tests/hooks/background/test_pushed.py::test_the_notifying_command_has_none_of_our_tokens",),
    ),
    Defence(
        "password-in-argv",
        "a remote's password is in no argument of git's",
        (Change("git/command.py", "*map(strip_web_userinfo, args[names:]))", "*args[names:])"),),
        (canary_test("work land-by url-live"),),
    ),
    Defence(
        "password-of-a-remote-that-is-asked",
        "nor where a remote's settings are looked up",
        (Change("git/command.py", "remote.{strip_web_userinfo(remote)}.uploadpack", "remote.{remote}.uploadpack"),),
        (canary_test("doctor-0-live"),),
    ),
    Defence(
        "password-of-a-tracking-branch",
        "nor where its branches are",
        (
            Change(
                "git/remotes.py", 'f"refs/remotes/{strip_web_userinfo(remote)}/HEAD"', 'f"refs/remotes/{remote}/HEAD"'
            ),
        ),
        (canary_test("work land-by url alone-json"),),
    ),
    Defence(
        "password-in-the-state",
        "the state of a landing has no password",
        (Change("land/state.py", '"push_url": strip_web_userinfo(state.push_url)', '"push_url": state.push_url'),),
        (STATE,),
    ),
    Defence(
        "password-in-the-states-remote",
        "the state of a landing has none in the remote either",
        (Change("land/state.py", '"remote": strip_web_userinfo(state.remote)', '"remote": state.remote'),),
        (STATE,),
    ),
    Defence(
        "mode-of-the-state",
        "the state of a landing is its user's alone",
        (Change("land/state.py", "0o600", "0o644"),),
        (STATE,),
    ),
    Defence(
        "password-in-the-merge",
        "a merge's message names the remote without its password",
        (Change("land/landing.py", "{format_remote_url(self.state.remote)}/", "{self.state.remote}/"),),
        (STATE,),
    ),
    Defence(
        "mode-of-the-agreements",
        "what was agreed to is its user's alone",
        (Change("app/command_trust.py", "os.O_CREAT, 0o600)", "os.O_CREAT, 0o644)"),),
        (f"{AGREEMENT}::test_only_what_was_agreed_to_is_known",),
    ),
    Defence(
        "mode-of-the-records",
        "records of watches are their user's alone",
        (Change("hooks/background/registry.py", "mode=0o600)", "mode=0o644)"),),
        (f"{PARTS}::test_records_and_logs_are_few_and_the_users_alone",),
    ),
    Defence(
        "mode-of-the-logs",
        "logs of watches are their user's alone",
        (Change("hooks/background/registry.py", "O_EXCL | os.O_WRONLY, 0o600)", "O_EXCL | os.O_WRONLY, 0o644)"),),
        (f"{PARTS}::test_records_and_logs_are_few_and_the_users_alone",),
    ),
    Defence(
        "mode-of-the-watches",
        "the directory of the records is its user's alone",
        (Change("hooks/background/registry.py", "mode=0o700", "mode=0o755"),),
        (f"{PARTS}::test_records_and_logs_are_few_and_the_users_alone",),
    ),
    Defence(
        "argument-of-the-post-push-hook",
        "a post-push hook gets URLs without passwords",
        (Change("land/post_push.py", "strip_web_userinfo(there.push_url)", "there.push_url"),),
        (canary_test("work land-ci hook-plain"),),
    ),
    Defence(
        "ticket",
        "no child but the background watcher gets the ticket, which may hold a URL with a password",
        (
            Change(
                RUNTIME,
                ("self.environ.items() if name not in (*TOKEN_VARIABLES, JOB_VARIABLE)\n        }"),
                "self.environ.items() if name not in TOKEN_VARIABLES}",
            ),
        ),
        (f"{ENDS}::test_a_push_by_url_and_its_watcher_give_nothing_away",),
    ),
    Defence(
        "ticket-in-argv",
        "a background watcher's ticket is not an argument",
        (
            Change(
                "app/background.py",
                "[sys.executable, *WATCHER_COMMAND,",
                '[sys.executable, "-X", full.to_json(), *WATCHER_COMMAND,',
            ),
        ),
        (f"{ENDS}::test_a_push_by_url_and_its_watcher_give_nothing_away",),
    ),
    Defence(
        "tokens-in-texts",
        "tokens of the environment are taken out of every text",
        (Change(RUNTIME, 'Redactor(environ.get(name, "").strip() for name in TOKEN_VARIABLES)', "Redactor()"),),
        (canary_test("ci watch-red-plain"),),
    ),
    Defence(
        "found-tokens-in-texts",
        "so is a token that Vault or a credential helper gave",
        (Change("app/ci_token.py", "runtime.redact.add(token.value)", "token.value"),),
        (f"{FIND}::test_a_found_token_is_redacted_from_then_on",),
    ),
    Defence(
        "vaults-token-in-texts",
        "so is Vault's own, from a file too",
        (Change("app/ci_token.py", "self._runtime.redact.add(vault.token)", "vault.token"),),
        ("tests/auth/test_vault.py::test_the_runtime_finds_the_vault_token_in_the_users_home",),
    ),
    Defence(
        "settings-in-texts",
        "so are passwords and headers of git's settings",
        (
            Change(
                RUNTIME,
                "self.redact.add(*url_secrets.find_secrets_in_git_config(",
                "tuple(url_secrets.find_secrets_in_git_config(",
            ),
        ),
        (canary_test("work land-gone-plain"), canary_test("work land-verification-plain")),
    ),
    Defence(
        "proxies-in-texts",
        "so are the proxies' passwords",
        (Change(RUNTIME, "self.redact.add(*url_secrets.find_secrets_in_proxy_variables(environ))", "pass"),),
        (f"{REVIEW}::test_a_proxys_password_is_shown_by_no_verification",),
    ),
    Defence(
        "names-of-proxies",
        "where a proxy is named it has no user part",
        (Change("net/probe.py", 'proxy.rpartition("@")[2]', "proxy"),),
        ("tests/net/test_proxy.py::test_a_proxy_is_named_without_its_user_part",),
    ),
    Defence(
        "proxies-in-complaints",
        "what the parser says of a proxy, which may hold its password, is not repeated",
        (
            Change(
                "net/http.py",
                'raise CommandError("the proxy in the environment cannot be used", hint=hint) from None',
                'raise CommandError(f"the proxy in the environment cannot be used: {url}", hint=hint) from None',
            ),
        ),
        ("tests/net/test_answers.py::test_a_proxys_password_is_not_reported",),
    ),
    Defence(
        "other-notations",
        "secrets are found as JSON, URLs, shells, Python and web pages write them",
        (Change("text/redaction.py", "    if not secret.isalnum():\n", "    if not secret:\n"),),
        (canary_test("ci watch-red-plain"),),
    ),
    Defence(
        "cut-secrets",
        "what was cut short of a secret is taken out",
        (
            Change(
                "text/redaction.py",
                "(*_occurrences(text, secret), *_truncated_occurrences(text, secret))",
                "_occurrences(text, secret)",
            ),
        ),
        (f"{TEXT}::test_a_secret_that_was_cut_is_gone_too",),
    ),
    Defence(
        "overlapping-secrets",
        "of two secrets that overlap nothing is left",
        (Change("text/redaction.py", "done = max(done, end)", "done = end if begin >= done else done"),),
        (f"{TEXT}::test_secrets_that_overlap_are_both_gone",),
    ),
    Defence(
        "user-parts",
        "the user part of a URL is taken out of every text",
        (
            Change(
                "text/redaction.py",
                "shown = hide_live_queries(strip_userinfo(redact(bare)))",
                "shown = hide_live_queries(redact(bare))",
            ),
        ),
        ("tests/hostile/test_views.py::test_plain_says_nothing_harmful[log..text]",),
    ),
    Defence(
        "traceback",
        "a traceback, where one is asked for, has no secret in it",
        (Change("app/session.py", "err(sanitize_text(line, self.runtime.redact))", "err(line)"),),
        (f"{ENDS}::test_an_internal_error_gives_nothing_away_in_its_traceback[plain]",),
    ),
    Defence(
        "settings-that-are-shown",
        "homelab config shows no secret that a setting holds",
        (Change("cli/commands/config.py", ("sanitize_text(value.raw, redact)\n            if"), "value.raw if"),),
        (canary_test("config-0-live"),),
    ),
    Defence(
        "malformed-settings",
        "a complaint about a URL shows no password",
        (
            Change(
                "config/resolve.py",
                'return strip_userinfo(" ".join(shown))',
                'return " ".join(shown)',
            ),
        ),
        (f"{TABLE}::test_a_password_in_a_malformed_url_is_not_shown",),
    ),
    Defence(
        "logs-that-are-shown",
        "homelab ci logs shows no secret that a step printed",
        (
            Change(
                "cli/commands/ci/logs.py",
                "sanitize_text(log_tail.render_line(line.text), redact, color=terminal.stdout_has_color)",
                "line.text",
            ),
        ),
        (canary_test("ci logs-0-plain"),),
    ),
    Defence(
        "repr-of-a-token",
        "a token is in no repr, so in no dump of a value",
        (Change("auth/lookup.py", "value: str = field(repr=False)", "value: str"),),
        (f"{FIND}::test_a_token_is_in_no_repr",),
    ),
    Defence(
        "token-that-fits",
        "a token with a line break does not reach a header, nor its value a message",
        (Change("auth/lookup.py", 'if not value.isascii() or not value.isprintable() or " " in value:', "if False:"),),
        (f"{FIND}::test_a_token_that_no_header_can_carry_is_denied_by_its_source_and_not_shown",),
    ),
    Defence(
        "silent-helpers",
        "git's credential helpers are asked without a prompt, whatever core.askPass says",
        (Change("auth/git_credentials.py", '"GIT_ASKPASS": "", "SSH_ASKPASS": "", ', ""),),
        (f"{FIND}::test_no_question_is_asked_even_where_a_prompt_is_set",),
    ),
    Defence(
        "vaults-redirects",
        "no redirect is followed with Vault's token: hvac is configured so, and its session knows no other server",
        (
            Change("auth/vault.py", "allow_redirects=False,", "allow_redirects=True,"),
            Change("net/http.py", "    session.adapters.clear()\n", ""),
        ),
        (f"{REQUESTS}::test_a_vault_that_redirects_does_not_have_its_token_sent_elsewhere",),
    ),
    Defence(
        "certificates",
        "a server whose certificate does not verify is sent nothing",
        (
            Change(
                "net/http.py",
                "    context.verify_flags &= ~ssl.VERIFY_X509_STRICT\n",
                "    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE\n",
            ),
        ),
        (f"{REQUESTS}::test_a_wrong_dial_is_sent_nothing",),
    ),
    Defence(
        "names-in-certificates",
        "nor one whose certificate is for another name",
        (
            Change(
                "net/http.py",
                "    context.verify_flags &= ~ssl.VERIFY_X509_STRICT\n",
                "    context.check_hostname = False\n",
            ),
        ),
        ("tests/net/test_dial.py::test_a_certificate_that_does_not_verify_ends_before_the_token_is_sent",),
    ),
    Defence(
        "http",
        "a token does not travel in the clear, except on this machine",
        (Change("config/cleartext.py", 'if server.scheme == "http" and not is_local:', "if False:"),),
        (f"{TABLE}::test_http_is_only_for_this_machine",),
    ),
    Defence(
        "http-to-a-dial",
        "nor to an address of another machine under this one's name",
        (
            Change(
                "config/cleartext.py",
                "server.is_loopback and (dial is None or is_loopback_host(dial.address))",
                "server.is_loopback",
            ),
        ),
        (f"{TABLE}::test_a_dial_to_another_machine_makes_loopback_http_no_safer",),
    ),
    Defence(
        "names-of-this-machine",
        "a name that only begins like an address of this machine is none",
        (Change("config/address.py", "ipaddress.ip_address(host).is_loopback", 'host.startswith("127.")'),),
        (f"{TABLE}::test_http_is_only_for_this_machine",),
    ),
    Defence(
        "tracked-server",
        "a tracked file cannot name the server",
        (
            Change(
                "config/schema.py",
                'env=("WOODPECKER_SERVER",), git="homelab.ciServer",',
                'env=("WOODPECKER_SERVER",), git="homelab.ciServer", tracked="server",',
            ),
        ),
        ("tests/config/test_sources.py::test_a_tracked_file_cannot_name_the_server",),
    ),
    Defence(
        "user-in-a-servers-url",
        "a server's URL has no password, which would be shown as part of its name",
        (Change("config/address.py", "if parts.username is not None or parts.password is not None:", "if False:"),),
        (canary_test("config-2 --server-json"),),
    ),
)
