"""What keeps a fault of the proxy, or of a port's protocol, from getting the remedy of another one."""

from __future__ import annotations

from tools.mutants.mutant import Change, Defence

FAILURES = "tests/net/test_failures.py"
PROXY_FAILURES = "tests/net/test_proxy_failures.py"
MISTAKES = f"{PROXY_FAILURES}::test_a_proxy_variable_that_does_not_fit_names_the_proxy_and_what_to_set"

PROXIES = (
    Defence(
        "failures-at-the-proxy",
        "what fails before the proxy has connected is the proxy's fault",
        (Change("net/http.py", '        if name == "connection.connect_tcp.started":\n', "        if False:\n"),),
        (
            f"{MISTAKES}[https for http]",
            f"{PROXY_FAILURES}::test_an_unknown_ca_of_the_proxy_is_not_the_servers_and_its_remedy_helps",
        ),
    ),
    Defence(
        "failures-behind-the-proxy",
        "what fails after the proxy has connected is the server's fault",
        (Change("net/http.py", 'elif name == "proxy.start_tls.started":', "elif False:"),),
        (f"{PROXY_FAILURES}::test_a_server_that_fails_behind_the_proxy_is_not_the_proxys_fault",),
    ),
    Defence(
        "certificates-of-the-proxy",
        "the CA bundle that is set is used for the proxy too",
        (
            Change(
                "net/http.py",
                "context = create_ssl_context(AddedCaFile(ca_file) if isinstance(ca_file, Path) else ca_file)",
                "context = create_ssl_context(None)",
            ),
        ),
        (f"{PROXY_FAILURES}::test_an_unknown_ca_of_the_proxy_is_not_the_servers_and_its_remedy_helps",),
    ),
    Defence(
        "schemes-of-the-proxy",
        "a proxy that closes a connection without TLS may expect TLS",
        (Change("net/http.py", "if at_proxy else self._server.scheme", "if False else self._server.scheme"),),
        (f"{MISTAKES}[http for https, closed]",),
    ),
    Defence(
        "greetings-of-other-protocols",
        "the first bytes of another protocol are a wrong port",
        (Change("net/failures.py", "if is_other_protocol(exchange.opening):", "if False:"),),
        (f"{FAILURES}::test_a_greeting_of_another_protocol_is_a_wrong_port",),
    ),
    Defence(
        "tls-alerts-without-end",
        "a TLS version or a client certificate is not retried for the whole timeout",
        (
            Change("net/failures.py", "if name in _CLIENT_CERTIFICATE_REASONS:", "if False:"),
            Change("net/failures.py", "if name in _TLS_VERSION_REASONS:", "if False:"),
        ),
        (f"{FAILURES}::test_a_tls_alert_that_no_retry_changes_is_a_wrong_server",),
    ),
)
