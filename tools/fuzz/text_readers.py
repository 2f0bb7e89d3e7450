"""Texts that are to be shown, and values of settings."""

from __future__ import annotations

import re

from homelab_hooks.config import address, image_proof, parsers
from homelab_hooks.errors import CommandError
from homelab_hooks.kubectl import image_ref
from homelab_hooks.text import commit_name, durations
from homelab_hooks.text.redaction import Redactor, sanitize_text
from homelab_hooks.text.sanitize import strip_control_chars, truncate_text
from homelab_hooks.watch.log_tail import render_line
from tools.fuzz import texts
from tools.fuzz.fed import SHA, FuzzTarget


def shown_text(data: bytes) -> None:
    """A text is fit to be shown after once; a secret in it is gone, wherever controls or a cut split it."""
    text = data.decode("utf-8", "surrogateescape")
    for one in (strip_control_chars(text), sanitize_text(text, Redactor())):
        assert not texts.harmful(one), ascii(one)
        assert strip_control_chars(one) == one
    for one in (strip_control_chars(text, color=True), render_line(text)):
        assert not texts.harmful(_UNCOLORED.sub("", one)), ascii(one)
    redact, secret = Redactor(SECRETS), SECRETS[len(data) % len(SECRETS)]
    middle = len(data) % len(secret)
    fit = sanitize_text(f"{text}{secret[:middle]}\x1b[1m\u200b{secret[middle:]}{text}", redact)
    assert not any(known in fit for known in SECRETS), ascii(fit)
    assert sanitize_text(fit, redact) == fit
    assert "://" not in fit or "@" not in fit.partition("://")[2].partition("/")[0].partition(" ")[0]
    for width in (1, 7, 199):
        assert len(truncate_text(fit, width)) <= width
        assert SECRETS[1][:6] not in redact(truncate_text(f"{SECRETS[1]} {'x' * width}", width))


def settings(data: bytes) -> None:
    """Any text is a value, or a ValueError that says what is expected."""
    text = data.decode("utf-8", "surrogateescape")
    for reader in (
        durations.parse_duration, address.parse_server_url, address.parse_dial, parsers.parse_repo_name,
        parsers.parse_ref_name, parsers.parse_workload,
        parsers.parse_vault_path, image_proof.parse_image_proof,
    ):  # fmt: skip
        try:
            found = reader(text)
        except (ValueError, CommandError) as error:
            assert str(error)  # noqa: PT017 - most inputs end well
        else:
            assert found is not None
    assert durations.format_duration(len(data) * 1e7)
    assert isinstance(commit_name.has_commit_token(image_ref.extract_tag(text), SHA), bool)


SECRETS = ("t0ken-value", "value-of-vault", "hvs.CAESIJ", "CAESIJabcdef", "aaaaaaab")
_UNCOLORED = re.compile(r"\x1b\[[0-9;:]*m")

TARGETS = {
    "text": FuzzTarget(shown_text, (
        "\x1b[31mred\x1b[0m \x1b]8;;https://u:p@x/\x1b\\link\x1b]8;;\x07 a\u202eb\u200bc e\u0301\u0302".encode(),
        b"https://ann:pa@ss@git.example.test/a t0ken-value-of-vault hvs.CAESIJabcdef", "漢字👩‍💻 ✔️".encode(),
    )),
    "settings": FuzzTarget(settings, (
        b"1h30m", b"90.5s", b"https://ci.example.test:443/ci/", b"[::1]:8443", b"10.0.20.203:443", b"acme/app",
        b"shop/sts/db",
        b"secret/ci/global", b"annotation:a/b", b"digest:sha256:" + b"0" * 64, b"r:5000/a:1.2-9f2c1a7b@sha256:00",
    )),
}  # fmt: skip
