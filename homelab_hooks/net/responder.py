"""Names the server or proxy that sent a response, as far as the response shows it."""

from __future__ import annotations

import re

from homelab_hooks.net.message import HttpResponse
from homelab_hooks.text.sanitize import strip_control_chars, truncate_text

MAX_NAME_COLUMNS = 60
_TITLE = re.compile(rb"<title[^>]{0,200}>([^<]{1,400})", re.IGNORECASE)
_REALM = re.compile(r'realm="([^"]{1,200})"', re.IGNORECASE)
_MARKS = (
    ("cf-ray", "", "Cloudflare"),
    ("cf-mitigated", "", "Cloudflare"),
    ("x-amz-cf-id", "", "CloudFront"),
    ("x-github-request-id", "", "GitHub"),
    ("x-gitlab-meta", "", "GitLab"),
    ("set-cookie", "i_like_gitea", "Gitea or Forgejo"),
    ("set-cookie", "authelia_session", "Authelia"),
    ("set-cookie", "authentik_", "authentik"),
    ("set-cookie", "_oauth2_proxy", "oauth2-proxy"),
)
"""a header, a text in its value, and the product that sends it"""
MAX_TITLE_SEARCH_BYTES = 65536


def is_bot_check(response: HttpResponse) -> bool:
    """Return whether a response is a challenge for a browser, whatever its status."""
    return "cf-mitigated" in response.headers


def describe_responder(response: HttpResponse) -> str:
    """Return who sent a response and the title of its page, like 'Cloudflare, "Just a moment..."'; empty if unknown.

    >>> describe_responder(HttpResponse(404, {"server": "nginx"}, b"<title>404 Not Found</title>", 0.1))
    'nginx, "404 Not Found"'
    """
    marked = (name for key, text, name in _MARKS if key in response.headers and text in response.headers[key])
    server = next(marked, "") or _clean(response.headers.get("server", ""))
    title = _TITLE.search(response.body, 0, MAX_TITLE_SEARCH_BYTES)
    realm = _REALM.search(response.headers.get("www-authenticate", ""))
    text = title[1].decode("utf-8", "replace") if title else realm[1] if realm else ""
    quoted = _clean(_unescape(text))
    return ", ".join(part for part in (server, f'"{quoted}"' if quoted else "") if part)


def _unescape(text: str) -> str:
    """Return text of a page without HTML's escapes; the module is imported only for a page that has some."""
    if "&" not in text:
        return text
    import html

    return html.unescape(text)


def _clean(text: str) -> str:
    return truncate_text(" ".join(strip_control_chars(text).split()), MAX_NAME_COLUMNS)
