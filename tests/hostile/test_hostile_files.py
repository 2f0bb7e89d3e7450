"""Whole commands in a repository whose configuration is made to cost too much, or is of another type than expected."""

from __future__ import annotations

import pytest

from homelab_hooks.simulators.repositories import Clone, ScratchRepositories
from tests.cli.shell import CommandResult, Shell

pytestmark = pytest.mark.slow

STEPS = "steps: [{name: a, image: b}]\n"
BOMB = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{f'*a{n - 1}, ' * 9}]\n" for n in range(1, 30))
MERGES = "a0: &a0 {x: y}\n" + "".join(f"a{n}: &a{n} {{<<: [{f'*a{n - 1}, ' * 9}]}}\n" for n in range(1, 30))
WORKFLOWS: dict[str, str | bytes] = {
    "aliases without end": f"{BOMB}when: {{branch: *a29}}\n{STEPS}",
    "merges without end": f"{MERGES}when: *a29\n{STEPS}",
    "a cycle": f"when: &w {{branch: *w}}\n{STEPS}",
    "a list that contains itself": f"when: &w [*w]\n{STEPS}",
    "100,000 levels": "when: " + "[" * 100_000,
    "300 indented levels": "".join(f"{' ' * n}-\n" for n in range(300)),
    "an object of Python": f"when: !!python/object/apply:os.system ['touch pwned']\n{STEPS}",
    "a tag of ours": f"when: !x {{branch: main}}\n{STEPS}",
    "numbers for names": "when: {branch: 1e400, event: 0x7fffffffffffffff}\nsteps: 12\n",
    "dates for names": f"when: {{branch: 2026-11-24, event: [2026-11-24T08:00:00Z, ~]}}\n{STEPS}",
    "keys that are lists": f"? [a, b]\n: c\nwhen: {{? [branch] : main}}\n{STEPS}",
    "a key twice": f"when: {{branch: a}}\nwhen: {{branch: main}}\n{STEPS}",
    "several documents": f"when: {{branch: a}}\n---\nwhen: {{branch: b}}\n{STEPS}",
    "controls": 'when: {branch: "\\x1b]0;t\\x07\\u202e"}\nsteps: [{name: "\\x1b[2J"}]\n',
    "a pattern of many stars": f"when: {{branch: '{'*a' * 5_000}b'}}\n{STEPS}",
    "a megabyte": f"{STEPS}# {'x' * 1_000_000}\n",
    "UTF-16": f"when: {{branch: main}}\n{STEPS}".encode("utf-16"),
    "NUL": b"when: {branch: \x00}\n",
    "nothing": "",
}
SETTINGS = {
    "100,000 lists": b"verify = " + b"[" * 100_000,
    "100,000 tables": b"verify = " + b"{a=" * 100_000,
    "a key of 100,000 parts": b".".join([b"a"] * 100_000) + b" = 1\n",
    "200 keys of 2,000 parts": b"".join(b"%s.k%d = 1\n" % (b".".join([b"a"] * 2_000), n) for n in range(200)),
    "a number of 5,000 digits": b"timeout = " + b"9" * 5_000,
    "10^400": b"timeout = 1" + b"0" * 400,
    "10^400 as a float": b"timeout = 1e400\nsettle = -1e400\n",
    "not a number": b"timeout = nan\nsettle = inf\n",
    "a negative time": b"timeout = -1\n",
    "a date": b"timeout = 2026-11-24T08:00:00Z\nsettle = 08:00:00\n",
    "tables for texts": b"[verify]\na = 1\n[[deploy]]\nb = 2\n",
    "lists for texts": b"target = ['main']\nrepo = [[]]\nstrategy = [1]\n",
    "texts for lists": b"deploy = 1\nfollow = true\nworkflow = {}\n",
    "lists of lists": b"deploy = [['shop/web']]\nfollow = [1, 2.5, nan]\n",
    "controls": b'target = "\\u001b]0;t\\u0007"\nrepo = "\\u202e/\\u0000"\n',
    "an option for a branch": b'target = "--upload-pack=touch pwned"\n',
    "a key twice": b'target = "a"\ntarget = "b"\n',
    "UTF-16": 'target = "main"\n'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbftarget = "main"\n',
    "a megabyte": b"# " + b"x" * 1_000_000,
    "50,000 unknown keys": b"".join(b"k%d = 1\n" % n for n in range(50_000)),
}


@pytest.fixture
def topic(shell: Shell, clone: Clone, workshop: ScratchRepositories) -> Clone:
    """A branch to land, on a remote that can be fetched; its verification succeeds."""
    clone.git("remote", "set-url", "origin", str(workshop.bare_path))
    clone.git("remote", "set-head", "origin", "main")
    clone.git("config", "homelab.ciRepo", "acme/app")
    clone.git("switch", "--quiet", "--create", "topic")
    shell.more["HOMELAB_VERIFY"] = "true"
    return clone


def add(topic: Clone, name: str, content: str | bytes) -> None:
    """Commit a file with this content."""
    path = topic.path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    topic.git("add", "--", name)
    topic.git("commit", "--quiet", "-m", "configure")


def plain(ended: CommandResult, topic: Clone) -> CommandResult:
    """It, if it has no error of ours, no control character, no endless line, and ran nothing."""
    assert "internal error" not in ended.out + ended.err
    assert "Traceback" not in ended.err
    assert not {char for char in ended.out + ended.err if not char.isprintable()} - {"\n"}
    assert max(map(len, ended.err.splitlines()), default=0) < 4_100
    assert not (topic.path / "pwned").exists()
    return ended


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_file_ends_no_command(shell: Shell, topic: Clone, name: str) -> None:
    add(topic, ".woodpecker/a.yaml", WORKFLOWS[name])
    assert plain(shell("git-land", "--dry-run"), topic).code == 0
    assert plain(shell("homelab", "doctor"), topic).code == 0
    assert plain(shell("homelab-watch", "--appear-timeout", "0"), topic).code == 3


@pytest.mark.parametrize("name", SETTINGS)
def test_a_tracked_file_ends_no_command(shell: Shell, topic: Clone, name: str) -> None:
    """It is used, or is an error that names the file or the setting."""
    add(topic, ".homelab.toml", SETTINGS[name])
    for argv in (("git-land", "--dry-run"), ("homelab", "doctor"), ("homelab", "config")):
        ended = plain(shell(*argv), topic)
        assert ended.code in {0, 2}, ended
        assert not ended.code or ".homelab.toml" in ended.err, ended
        assert argv[1:] == ("config",) or ended.result["exit"] == str(ended.code)
