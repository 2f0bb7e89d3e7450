"""What the links after a push read: their names, redirects of downloads and of services, answers, and contexts."""

from __future__ import annotations

from homelab_hooks.config.address import parse_server_url
from homelab_hooks.config.link_spec import LinkSpec, parse_link
from homelab_hooks.follow.live_answer import read_answer
from homelab_hooks.follow.live_source import resolve_redirect
from homelab_hooks.git.containment import Containment
from homelab_hooks.net.download_redirect import DownloadPlace, parse_download_redirect
from homelab_hooks.net.live import LiveAnswer, Shown
from homelab_hooks.net.message import HttpResponse
from homelab_hooks.text.context_glob import matches_context
from tools.fuzz import texts
from tools.fuzz.fed import SHA, FuzzTarget
from tools.fuzz.promises import hold

_SERVER = parse_server_url("https://shop.example.test")


def links(data: bytes) -> None:
    """A text is a link whose name has no query, or a ValueError; a pattern and a context match or do not."""
    text = data.decode("utf-8", "surrogateescape")
    pattern, _, context = text.partition("\n")
    assert matches_context(pattern, context) in (True, False)
    try:
        found = parse_link(text)
    except ValueError as error:
        assert str(error)  # noqa: PT017 - most inputs end well
        return
    hold(found, LinkSpec)
    assert found.live is None or "?" not in found.name.partition("#")[0]


def redirects(data: bytes) -> None:
    """A redirect stays at the service, and that of a download uses https; the target of a request is plain ASCII."""
    location = data.decode("latin-1")
    if following := resolve_redirect(_SERVER, "/version", location):
        server, target = following
        assert server.origin == _SERVER.origin
        assert target.isascii()
    place = parse_download_redirect(location, _SERVER, "the log")
    if isinstance(place, DownloadPlace):
        assert place.server.scheme == "https"
        assert place.target.isascii()
        assert place.target.isprintable()
    else:
        assert not texts.harmful(place.reason)


def answers(data: bytes) -> None:
    """Whatever a service answers, it shows our commit only if the answer has a name of it."""
    for path in ((), ("build", "commit"), ("0",)):
        found = read_answer(
            HttpResponse(200, {}, data, 0.1), sha=SHA, path=path, compare=lambda _: Containment.NOT_CONTAINED
        )
        hold(found, LiveAnswer)
        assert not texts.harmful(found.seen)
        assert found.shown is not Shown.OURS or SHA[:7].encode() in data or b"\\u" in data


TARGETS = {
    "links": FuzzTarget(links, (
        b"live:https://shop.example.test/v?key=x#build.commit", b"status:gh:ci/*\nci/build", b"run:make",
        b"ci:push@a/b", b"{a,*b}*c?\nabc",
    )),
    "redirects": FuzzTarget(redirects, (
        b"https://shop.example.test/v?x=1#y", b"//evil.example.test/", b"https://ann@shop.example.test/", b"../a",
        b"https://[::ffff:127.0.0.1]/log", b"http://shop.example.test/",
    )),
    "live-answers": FuzzTarget(answers, (
        b'{"build": {"commit": "%s"}}' % SHA.encode(), b'["%s"]' % SHA[:9].encode(), b"version " + SHA.encode(),
    )),
}  # fmt: skip
