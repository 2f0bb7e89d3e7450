"""Reads webhooks, whose JSON is the same for Gitea, Forgejo, and GitHub in what is used."""

from __future__ import annotations

from urllib.parse import urlsplit

from homelab_hooks.forge.provider import Webhook
from homelab_hooks.text.json_fields import UnexpectedShape, read_list, read_number, read_object, read_text


def parse_webhooks(raw: object) -> tuple[Webhook, ...]:
    """Read a list of webhooks. Only host, port, and path of a URL are kept: its query holds a token of the receiver.

    >>> parse_webhooks([{"id": 7, "config": {"url": "https://ci.example.test/api/hook?access_token=s"}}])[0].path
    '/api/hook'
    """
    return read_list(raw, _parse_webhook)


def _parse_webhook(raw: object) -> Webhook:
    json = read_object(raw)
    host, port, path = _split_url(read_text(read_object(json.get("config") or {}), "url"))
    events = json.get("events")
    return Webhook(
        id=read_number(json, "id", required=True),
        host=host,
        port=port,
        path=path,
        is_active=json.get("active") is not False,
        sends_pushes=not isinstance(events, list) or "push" in events or "*" in events,
        branch_filter=read_text(json, "branch_filter"),
    )


def _split_url(url: str) -> tuple[str, int, str]:
    """Return host, port, and path; an invalid URL is that of no known server."""
    try:
        parts = urlsplit(url)
        default_port = 80 if parts.scheme == "http" else 443
        return (parts.hostname or "").lower(), parts.port or default_port, parts.path
    except ValueError:
        return "", 0, ""


def quote_repo(repo: str) -> str:
    """Return OWNER/NAME for a path. Raises UnexpectedShape if it would lead to another endpoint."""
    from urllib.parse import quote

    segments = repo.split("/")
    if len(segments) != 2 or not all(segments) or {".", ".."} & set(segments):  # noqa: PLR2004 - owner and name
        raise UnexpectedShape(f"{repo} is not OWNER/NAME")
    return quote(repo)
