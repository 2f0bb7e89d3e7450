"""Each reader of something outside, with what it promises whatever comes."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_type_hints

from homelab_hooks import durations, files, image, readings, remote, server
from homelab_hooks.config import Sources, resolve
from homelab_hooks.errors import Problem
from homelab_hooks.events import Watched
from homelab_hooks.exits import Exit
from homelab_hooks.git import push
from homelab_hooks.git.verbs import complaint
from homelab_hooks.hooks.records import Store as Records
from homelab_hooks.kubectl.facts import Counts, Kind, Pod, Revision, Target, Template, Workload
from homelab_hooks.kubectl.kubectl import Kubectl
from homelab_hooks.land.state import State, Store
from homelab_hooks.looks import Absent, Denied, Missed, Seen
from homelab_hooks.proc import Done
from homelab_hooks.reply import NoReply, Reply, bounded
from homelab_hooks.text import Redactor, clean, fit_to_show, short
from homelab_hooks.tokens.find import NotThere, from_git
from homelab_hooks.woodpecker import parse
from homelab_hooks.woodpecker.answer import read
from homelab_hooks.woodpecker.events import LONGEST, Garbage, Hint, Stream
from tests.fuzz import seeds, texts
from tests.fuzz.promises import hold

LOOKS = (Seen, Absent, Missed, Denied)
SHA = "9f2c1a7be0d34c55a1c2f3e4d5b6a79808172635"


@dataclass(frozen=True)
class Fed:
    """A reader, and with what the feeding begins."""

    feed: Callable[[bytes], None]
    seeds: tuple[bytes, ...]


def woodpecker(reader: Callable[[object], Any]) -> Callable[[bytes], None]:
    """Any body is a look; what was seen is what its type says, and a success is one in the answer too."""
    kind = get_type_hints(reader)["return"]

    def feed(data: bytes) -> None:
        found = read(Reply(200, {}, data, 0.1), reader, what="it", token="WP_TOKEN")
        assert isinstance(found, LOOKS)
        if not isinstance(found, Seen):
            assert not texts.harmful(found.reason), found
            return
        hold(found.value, kind)
        if "SUCCESS" in repr(found.value):
            assert "success" in repr(json.loads(data))

    return feed


def headers(data: bytes) -> None:
    """Any status and headers are a look; only a 200 is ever seen."""
    status, retry, date, place, kind, body = (data.decode("latin-1").split("\n", 5) + [""] * 6)[:6]
    code = int(status) if status.isascii() and status.isdecimal() and len(status) < 4 else 503
    told = {"retry-after": retry, "date": date, "location": place, "content-type": kind}
    found = read(Reply(code, told, body.encode(), 0.1), parse.pipelines, what="it", token="WP_TOKEN")
    assert isinstance(found, LOOKS)
    assert code == 200 or not isinstance(found, Seen)
    if isinstance(found, Missed):
        assert not texts.harmful(found.reason), found
        assert found.retry_after is None or 0 <= found.retry_after < 1e10


def packed(data: bytes) -> None:
    """A packed body is bounded, whatever it unpacks to."""
    limit = 4096
    for body in (data, zlib.compress(data * 50, wbits=31), zlib.compress(data, wbits=31)[: len(data)]):
        found = bounded([body[:7], body[7:]], "gzip", limit)
        assert isinstance(found, NoReply) or len(found) <= limit


def stream(data: bytes) -> None:
    """However the bytes are cut, the hints are the same, and what is kept is bounded."""
    hints, kept = _heard([data])
    assert kept <= LONGEST
    sizes = [1 + byte % 23 for byte in data[:40]] or [1]
    assert _heard(_cut(data, sizes))[0] == hints
    assert len(data) > 3000 or _heard([bytes([byte]) for byte in data])[0] == hints
    for hint in hints:
        hold(hint, Hint)


def _cut(data: bytes, sizes: Sequence[int]) -> list[bytes]:
    pieces, at = [], 0
    for turn in range(len(data)):
        if at >= len(data):
            break
        pieces.append(data[at : at + sizes[turn % len(sizes)]])
        at += sizes[turn % len(sizes)]
    return pieces


def _heard(chunks: Sequence[bytes]) -> tuple[list[Hint], int]:
    known, found = Stream(), []
    try:
        for chunk in chunks:
            found += known.feed(chunk)
    except Garbage:
        pass
    return found, known.kept


class Says:
    """A program that says this, whatever it is asked."""

    def __init__(self, done: Done) -> None:
        self._done = done

    def run(self, argv: Sequence[str], **_: Any) -> Done:
        """It, again."""
        del argv
        return self._done

    def follow(self, argv: Sequence[str], hear: Callable[[str], bool], over: Callable[[], None]) -> Any:
        """Nobody does here."""
        raise NotImplementedError(argv, hear, over)


def kubectl(data: bytes) -> None:
    """Whatever kubectl prints, each verb is a look, and what was seen is what its type says."""
    known = Kubectl(Says(Done(0, data)))
    workload = None
    for kind in Kind:
        found = known.workload(Target("shop", kind, "web"), within=1.0)
        assert isinstance(found, LOOKS)
        if isinstance(found, Seen):
            workload = found.value
            hold(workload, Workload)
    workload = workload or WORKLOAD
    listed = Kubectl(Says(Done(0, b'{"items": [' + data + b"]}")))
    target = Target("shop", Kind.DEPLOYMENT, "web")
    for asked in (known, listed):
        made = asked.revisions(target, workload, within=1.0)
        hold(made.value if isinstance(made, Seen) else (), tuple[Revision, ...])
        pods = asked.pods(target, workload, made.value if isinstance(made, Seen) else (), within=1.0)
        hold(pods.value if isinstance(pods, Seen) else (), tuple[Pod, ...])
        assert not texts.harmful(asked.cannot_create(target, workload, within=1.0))


def kubectl_errors(data: bytes) -> None:
    """Whatever kubectl complains of, it is no success, and can be shown."""
    for code in (1, 0 - 9, 255):
        found = Kubectl(Says(Done(code, data, data))).workload(Target("shop", Kind.DEPLOYMENT, "web"), within=1.0)
        assert isinstance(found, (Absent, Missed, Denied))
        assert not texts.harmful(found.reason), found


def small_files(data: bytes) -> None:
    """A file of the user's is read, or counts as empty; a tracked one is read, or a Problem."""
    with TemporaryDirectory(dir=_MEMORY) as name:
        top = Path(name)
        (top / ".homelab.toml").write_bytes(data)
        (top / "woodpecker").mkdir()
        (top / "woodpecker" / "contexts.json").write_bytes(data)
        assert isinstance(files.context_server(top), str)
        try:
            resolve(Sources(tracked=files.tracked(top)))
        except Problem as problem:
            assert problem.what  # noqa: PT017 - most inputs end well


def landing(data: bytes) -> None:
    """A landing's state is read, or is a Problem that says which file."""
    with TemporaryDirectory(dir=_MEMORY) as name:
        (Path(name) / "land.json").write_bytes(data)
        try:
            found = Store(Path(name)).load()
        except Problem as problem:
            assert "land.json" in problem.what  # noqa: PT017 - most inputs end well
        else:
            hold(found, State)


def watches(data: bytes) -> None:
    """What is written down of a watch is read, or passed over."""
    with TemporaryDirectory(dir=_MEMORY) as name:
        known = Records(Path(name))
        known.directory.mkdir(parents=True)
        (known.directory / "a.json").write_bytes(data)
        for one in known.told(1795465876.0):
            hold(one, Watched)


def shown_text(data: bytes) -> None:
    """A text is fit to be shown after once; a secret in it is gone, wherever controls or a cut split it."""
    text = data.decode("utf-8", "surrogateescape")
    for one in (clean(text), fit_to_show(text, Redactor())):
        assert not texts.harmful(one), ascii(one)
        assert clean(one) == one
    assert not texts.harmful(_UNCOLOURED.sub("", clean(text, colour=True)))
    redact, secret = Redactor(SECRETS), SECRETS[len(data) % len(SECRETS)]
    middle = len(data) % len(secret)
    fit = fit_to_show(f"{text}{secret[:middle]}\x1b[1m\u200b{secret[middle:]}{text}", redact)
    assert not any(known in fit for known in SECRETS), ascii(fit)
    assert fit_to_show(fit, redact) == fit
    assert "://" not in fit or "@" not in fit.partition("://")[2].partition("/")[0].partition(" ")[0]
    for width in (1, 7, 199):
        assert len(short(fit, width)) <= width
        assert SECRETS[1][:6] not in redact(short(f"{SECRETS[1]} {'x' * width}", width))


def remotes(data: bytes) -> None:
    """Any URL says an owner and a name, or why it does not."""
    url = data.decode("utf-8", "surrogateescape")
    found = remote.parse(url, base="git")
    if isinstance(found, remote.Address):
        assert found.namespace
        assert found.name
        assert found.host
    else:
        assert found.why
    assert not texts.harmful(remote.shown(url))


def pushes(data: bytes) -> None:
    """Whatever is said of a push, it has an outcome; a good one only with git's own word for it."""
    text = data.decode("utf-8", "replace")
    out, _, err = text.partition("\x1f")
    for code in (0, 1, 128, -9):
        found = push.read(code, out, err, ref="refs/heads/main", sha=SHA)
        hold(found, push.Outcome)
        assert found.kind is not push.Kind.LANDED or code == 0 or "refs/heads/main" in out
        assert not any(texts.harmful(line) for line in (*found.said, found.why, found.link)), found
        assert not texts.harmful(complaint(Done(code, b"", err.encode())))


def settings(data: bytes) -> None:
    """Any text is a value, or a ValueError that says what is expected."""
    text = data.decode("utf-8", "surrogateescape")
    for reader in (
        durations.parse, server.parse_server, server.parse_dial, readings.full_name, readings.ref, readings.workload,
        readings.vault, readings.secret, image.parse_proof,
    ):  # fmt: skip
        try:
            found = reader(text)
        except (ValueError, Problem) as error:
            assert str(error)  # noqa: PT017 - most inputs end well
        else:
            assert found is not None
    assert durations.text(len(data) * 1e7)
    assert isinstance(image.names(image.tag(text), SHA), bool)


def credentials(data: bytes) -> None:
    """Whatever a credential helper prints, it is a token that a header can carry, or none."""
    try:
        found = from_git(server.parse_server("https://ci.example.test"), Says(Done(0, data)))  # type: ignore[arg-type]  # it runs as processes do
    except Problem as problem:
        assert problem.exit is Exit.DENIED  # noqa: PT017 - most inputs end well
        return
    assert isinstance(found, NotThere) or (found.value.isascii() and found.value.isprintable())


WORKLOAD = Workload(
    uid="45815568-4321-4245-82ff-3baa50c7313e", generation=1, observed=1, template=Template(),
    counts=Counts(desired=1, total=1, updated=1, available=1),
)  # fmt: skip
SECRETS = ("t0ken-value", "value-of-vault", "hvs.CAESIJ", "CAESIJabcdef", "aaaaaaab")
_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - a folder of its own is made there
_UNCOLOURED = re.compile(r"\x1b\[[0-9;:]*m")
_STATE = json.dumps(
    {"schema": 1, "branch": "b", "target": "main", "remote": "origin", "push_url": "u", "start": SHA, "stage": "push",
     "onto": "", "made": "", "verified_tree": "", "candidate": "", "landed": "", "ended": "", "tried": 0,
     "in_doubt": False,
     "request": {"remote": "", "onto": "", "strategy": "merge", "verify": ["make test", "why"], "push_options": ["a"],
                 "dry_run": False, "attempts": 5, "resume": "x", "extra": {"no_verify": True}}}
).encode()  # fmt: skip
_WATCHED = json.dumps(
    {"schema": 1, "sha": SHA, "branch": "main", "remote": "origin", "process": 1, "host": "h", "began": 1.0,
     "until": 2.0, "state": "ended", "landed": True, "ended": 2.0, "log": "l",
     "result": {"exit": 0, "verdict": "passed", "url": "u"}}
).encode()  # fmt: skip
_EVENT = b'event:message\r\ndata: {"pipeline": %s,\r\ndata: "repo": {"id": 8, "full_name": "a/b"}}\r\n\r\n: ping\n\n'
_PUSH = "To https://git.example.test/a/b\n{}\trefs/heads/main:refs/heads/main\t{}\nDone\n\x1f{}"

TARGETS: dict[str, Fed] = {
    "pipelines": Fed(woodpecker(parse.pipelines), seeds.woodpecker("/pipelines")),
    "pipeline": Fed(woodpecker(parse.pipeline), seeds.woodpecker("/pipelines/")),
    "repo": Fed(woodpecker(parse.repo), seeds.woodpecker("/lookup/")),
    "login": Fed(woodpecker(parse.login), seeds.woodpecker("/user")),
    "rights": Fed(woodpecker(parse.rights), seeds.woodpecker("/permissions")),
    "queue": Fed(woodpecker(parse.queue), seeds.woodpecker("/queue")),
    "log": Fed(woodpecker(parse.log), seeds.woodpecker("/logs/")),
    "headers": Fed(headers, (
        b"503\n120\n\n\ntext/plain\nupstream gone",
        b"429\nTue, 24 Nov 2026 08:00:09 GMT\nTue, 24 Nov 2026 08:00:00 GMT\n\n\n",
        b"302\n\n\nhttps://[::1]:80/login?x\ntext/html\n<html>", b"401\n\n\n\n\n", b"404\n\n\n\n\n",
    )),
    "packed": Fed(packed, (b"a" * 200, zlib.compress(b"{}" * 9000, wbits=31))),
    "stream": Fed(stream, (
        *(_EVENT % body for body in seeds.woodpecker("/pipelines/")[:8] if body.startswith(b"{")), b"data: {}\n\n" * 9,
    )),
    "kubectl": Fed(kubectl, tuple(
        body for kind in ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ControllerRevision", "Pod", "Event")
        for body in seeds.kubernetes(kind)[:6]
    )),
    "kubectl-errors": Fed(kubectl_errors, seeds.kubectl_errors()),
    "files": Fed(small_files, (
        b'repo = "acme/app"\nverify = "make test"\ndeploy = ["shop/web"]\ntimeout = "1h"\nsettle = 5\n',
        b'{"current_context": "a", "contexts": {"a": {"server_url": "https://ci.example.test"}}}',
    )),
    "landing": Fed(landing, (_STATE,)),
    "watches": Fed(watches, (_WATCHED,)),
    "text": Fed(shown_text, (
        "\x1b[31mred\x1b[0m \x1b]8;;https://u:p@x/\x1b\\link\x1b]8;;\x07 a\u202eb\u200bc e\u0301\u0302".encode(),
        b"https://ann:pa@ss@git.example.test/a t0ken-value-of-vault hvs.CAESIJabcdef", "漢字👩‍💻 ✔️".encode(),
    )),
    "remotes": Fed(remotes, (
        b"git@git.example.test:acme/app.git", b"https://bob:s@git.example.test:8443/a/b/c/", b"[git@host:2222]:a/b",
        b"ssh://[::1]:22/git/a/b", b"ext::sh -c x", b"C:\\x", b"file:///srv/a", b"../app",
        b"git@ssh.dev.azure.com:v3/o/p/r",
    )),
    "push": Fed(pushes, (
        *(_PUSH.format(*row).encode() for row in (
            (" ", "1..2", ""), ("!", "[rejected] (fetch first)", "hint: x\nerror: failed to push some refs to 'x'"),
            ("!", "[remote rejected] (pre-receive hook declined)", "remote: error: GH006: no\nremote: https://x/pulls"),
            ("!", "[remote rejected] (failed to update ref)", f"remote: error: is at {SHA} but expected {SHA}"),
        )), *seeds.pushes(),
    )),
    "settings": Fed(settings, (
        b"1h30m", b"90.5s", b"https://ci.example.test:443/ci/", b"[::1]:8443", b"10.0.20.203:443", b"acme/app",
        b"shop/sts/db",
        b"secret/ci/global", b"annotation:a/b", b"digest:sha256:" + b"0" * 64, b"r:5000/a:1.2-9f2c1a7b@sha256:00",
    )),
    "credentials": Fed(credentials, (b"protocol=https\nhost=ci.example.test\nusername=u\npassword=t0ken-value\n",)),
}  # fmt: skip
"""each reader by its name"""
