"""URLs of notifications, each of which holds a secret, and what the process that sends to them has printed."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, unquote, urlsplit

from homelab_hooks.config.resolve import GitConfigEntry, SettingSources, resolve_config, resolve_config_leniently
from homelab_hooks.errors import CommandError
from homelab_hooks.notify.apprise_job import read_delivery, scheme_of
from homelab_hooks.system.completed import Completed
from homelab_hooks.text.redaction import MIN_SECRET_LENGTH, Redactor, sanitize_text
from homelab_hooks.text.url_secrets import MIN_NOTIFY_TOKEN_LENGTH, find_secrets_in_git_config, hide_after_scheme
from tools.fuzz import texts
from tools.fuzz.fed import FuzzTarget

TIMEOUT_S = 10.0
_HOST = re.compile(r"[a-z0-9.-]*[.][a-z]{2,}|[0-9.]+[.][0-9.]*|localhost")
"""a name like one of a host is not redacted, wherever it stands: its service may be in any message"""


def notify_urls(data: bytes) -> None:
    """A URL is a setting, or an error; nothing but its scheme is shown, and each secret in it is redacted elsewhere."""
    url = data.decode("utf-8", "surrogateescape")
    sources = SettingSources(git=(GitConfigEntry("global", "homelab.notifyurl", url),))
    redact = Redactor(find_secrets_in_git_config([("homelab.notifyurl", url)]))
    shown = [value.raw for value in resolve_config_leniently(sources)[0].values if value.setting.name == "notify_url"]
    assert shown in ([], ["none"], [hide_after_scheme(url)]), shown
    try:
        (known,) = resolve_config(sources).notify_url or ("",)
    except CommandError as error:
        _hold_error(error.message, url)
        return
    if not known:
        return
    assert scheme_of(known) == hide_after_scheme(known).removesuffix("***"), scheme_of(known)
    (problem,) = read_delivery([known], Completed(1), TIMEOUT_S).problems
    assert not texts.harmful(problem)
    rest = sanitize_text(f"no route to {url}, at {url.partition('://')[2]}", redact)
    for secret in _secrets(known):
        for text in (rest, sanitize_text(f"refused {secret} today", redact)):
            assert sanitize_text(secret, Redactor()) not in text, (secret, text)


def _hold_error(message: str, url: str) -> None:
    assert message == f"invalid value {hide_after_scheme(url)!r} for homelab.notifyUrl (git config, global)"


def _secrets(url: str) -> set[str]:
    """The parts of a URL that a service may quote: as the standard library, which Apprise uses, takes it apart."""
    try:
        parts = urlsplit(url)
        password = parts.password or ""
        found = [parts.username or "", *parts.path.split("/")]
        found += [value for _, value in parse_qsl(parts.query)]
    except ValueError:
        return set()
    found = [one for one in (*found, *map(unquote, found)) if len(one.strip()) >= MIN_NOTIFY_TOKEN_LENGTH]
    found = [one for one in found if not _HOST.fullmatch(one)]
    found += [one for one in (password, unquote(password)) if len(one.strip()) >= MIN_SECRET_LENGTH]
    return {one for one in found if one.isascii() and one.isprintable()}


def notify_outcomes(data: bytes) -> None:
    """Whatever the process has printed, each target was sent to or has one problem, in which nothing of it stands."""
    urls = ("json://ann:pa55word@h.test", "slack://T0KENSONE/T0KENSTWO", "ntfy://topic")
    found = read_delivery(urls, Completed(len(data) % 5, data, timed_out=len(data) % 2 == 0), TIMEOUT_S)
    assert found.is_installed or len(found.problems) == 1
    assert not found.is_installed or found.sent_count + len(found.problems) == len(urls)
    for problem in found.problems:
        assert problem.startswith("homelab.notifyUrl ")
        assert not texts.harmful(problem)
        assert not any(part in problem for part in ("pa55word", "T0KENS", "topic"))


TARGETS = {
    "notify-urls": FuzzTarget(notify_urls, (
        b"json://ann:pa55word@h.test:8443/first-t0ken?+X-Key=second-t0ken", b"slack://T0KENSONE/T0KENSTWO/#general",
        b"mailtos://ann:pa55%77ord@mail.example.test?to=bob@example.test&smtp=smtp.example.test",
        b"tgram://123456789:AAEbcdefghijklmn/-100123456", b"ntfys://tk_abcdefgh1@ntfy.example.test/topic-name",
        b"matrixs://ann:pa55word@m.example.test/%23room:example.test?token=abcdefgh1", b"gotify://h.test/Atoken12345",
    )),
    "notify-outcomes": FuzzTarget(notify_outcomes, (
        b"\nhomelab-notify 0 ok\n\nhomelab-notify 1 failed\n\nhomelab-notify 2 unknown\n",
        b"noise\nhomelab-notify 2 ok\nhomelab-notify x ok\nhomelab-notify 0\n",
    )),
}  # fmt: skip
