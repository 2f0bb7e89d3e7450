"""homelab follow as a process: a chain over a real git server, a real web server, a simulated CI, and a command."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from homelab_hooks.simulators.repositories import Clone, ScratchRepositories
from homelab_hooks.simulators.woodpecker import timelines
from homelab_hooks.simulators.woodpecker.script import PipelineTimeline
from homelab_hooks.simulators.woodpecker.server import WoodpeckerSimulator
from homelab_hooks.simulators.woodpecker.store import SimulatedRepo
from tests.cli.shell import CommandResult, Shell
from tests.views.schema import objects
from tests.waiting import FOREVER

pytestmark = pytest.mark.slow

QUICK = ("--onto", "main", "--appear-timeout", "0", "--rollout-timeout", "0", "--settle", "0")


@pytest.fixture
def web() -> Iterator[HTTPServer]:
    with HTTPServer(host="127.0.0.1") as running:
        yield running


@pytest.fixture
def chain(clone: Clone, workshop: ScratchRepositories, web: HTTPServer) -> list[str]:
    """CI, a mirror that has the commit, the service that runs it, and a command that succeeds."""
    clone.git("remote", "add", "backup", str(workshop.bare_path))
    web.expect_request("/version").respond_with_json({"commit": clone.head})
    return ["ci", "mirror:backup", f"live:{web.url_for('/version')}?key=s3cret#commit", 'run:test "$HOMELAB_SHA"']


def follow(shell: Shell, links: list[str], *options: str) -> CommandResult:
    given = [word for link in links for word in ("--follow", link)]
    return shell("homelab", "follow", *given, *QUICK, *options)


@pytest.fixture
def push(woodpecker: WoodpeckerSimulator, clone: Clone) -> Callable[..., None]:
    def one(script: PipelineTimeline, **facts: Any) -> None:
        woodpecker.push("acme/app", "main", clone.head, script, after=-60.0, **facts)

    return one


def test_a_whole_chain_succeeds_and_its_receipt_is_shown_again(
    shell: Shell, clone: Clone, chain: list[str], push: Callable[..., None]
) -> None:
    push(timelines.make_green())
    ended = follow(shell, chain)
    assert ended.code == 0, ended
    assert (ended.result["verdict"], ended.result["pipelines"]) == ("ok", "#1")
    assert ended.result["link"].startswith("run:test%20%22%24HOMELAB_SHA%22")
    assert "s3cret" not in ended.out + ended.err.replace("\n", "")

    shown = shell("homelab", "follow", "--receipt", "--output", "json")
    (result,) = [event for event in objects(shown.lines) if event["event"] == "result"]
    assert (shown.code, result["verdict"]) == (0, "ok")
    assert [(link["link"].partition(":")[0], link["verdict"], link["exit"]) for link in result["links"]] == [
        ("ci", "passed", 0),
        ("mirror", "ok", 0),
        ("live", "live", 0),
        ("run", "ok", 0),
    ]
    assert "main on backup is at" in result["links"][1]["evidence"]
    files = "".join(path.read_text() for path in (clone.path / ".git/homelab").rglob("*.json"))
    assert "s3cret" not in files
    assert shell("homelab", "follow", "--receipt", "HEAD", at=clone.path).code == 0


def test_without_a_receipt_there_is_nothing(shell: Shell) -> None:
    ended = shell("homelab", "follow", "--receipt")
    assert (ended.code, ended.result["verdict"]) == (0, "nothing")


@pytest.mark.parametrize("broken", ["ci", "mirror", "live", "run"])
def test_the_link_that_breaks_is_named_with_its_code(  # noqa: PLR0917 - fixtures
    shell: Shell, clone: Clone, chain: list[str], web: HTTPServer, push: Callable[..., None], broken: str
) -> None:
    push(timelines.make_red() if broken == "ci" else timelines.make_green())
    if broken == "mirror":
        clone.git("commit", "--quiet", "--allow-empty", "-m", "not mirrored")
        push(timelines.make_green())
    if broken == "live":
        web.clear()
        web.expect_request("/version").respond_with_json({"commit": "0" * 40})
    if broken == "run":
        chain[3] = "run:exit 7"
    ended = follow(shell, chain, "--output", "json")
    (result,) = [event for event in objects(ended.lines) if event["event"] == "result"]
    codes = {"ci": 1, "mirror": 3, "live": 124, "run": 1}
    assert (ended.code, result["link"].partition(":")[0]) == (codes[broken], broken), ended
    position = ["ci", "mirror", "live", "run"].index(broken)
    assert ["exit" in link for link in result["links"]] == [index <= position for index in range(4)]


@pytest.mark.parametrize("link", ["mirror", "other", "nameless", "silent", "run"])
def test_a_call_that_may_not_wait_looks_once_and_leaves_open_what_it_does_not_see(
    shell: Shell, clone: Clone, workshop: ScratchRepositories, web: HTTPServer, link: str
) -> None:
    """Each link's own timeout has its default here: none of them is what ends the call."""
    clone.git("commit", "--quiet", "--allow-empty", "-m", "not mirrored")
    clone.git("remote", "add", "backup", str(workshop.bare_path))
    web.expect_request("/other").respond_with_json({"commit": "0" * 40})
    web.expect_request("/nameless").respond_with_data("hello")
    web.expect_request("/silent").respond_with_data("", status=503)
    name = {"mirror": "mirror:backup", "run": f"run:{FOREVER}"}.get(link, f"live:{web.url_for(f'/{link}')}")
    ended = shell("homelab", "follow", "--onto", "main", "--follow", name, "--timeout", "0")
    assert (ended.code, ended.result["verdict"]) == (124, "timeout"), ended
    assert "to resume, run: homelab follow " in ended.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--follow", "mirror:nowhere"), "there is no remote nowhere"),
        (("--follow", "ci:nonsense"), "unknown event 'nonsense'"),
        (("--follow", "live:https://ann:s3cret@shop.example.test"), "without a user name or password"),
        (
            ("--rollout-timeout", "0", "--follow", "live:https://127.0.0.1:9/?***#a"),
            "the query of the URL is not known",
        ),
        (("--follow", "github"), "expected ci, ci:EVENT"),
    ],
)
def test_a_link_that_can_never_begin_is_a_usage_error(shell: Shell, options: tuple[str, ...], said: str) -> None:
    ended = shell("homelab", "follow", "--onto", "main", *options)
    assert (ended.code, ended.result["verdict"]) == (2, "usage"), ended
    assert said in ended.err
    assert "s3cret" not in ended.out + ended.err


def test_links_come_from_the_tracked_file_except_commands(
    shell: Shell, clone: Clone, push: Callable[..., None]
) -> None:
    push(timelines.make_green())
    (clone.path / ".homelab.toml").write_text('target = "main"\nfollow = ["ci:push"]\n')
    ended = shell("homelab", "follow")
    assert (ended.code, ended.result["link"]) == (0, "ci:push"), ended
    (clone.path / ".homelab.toml").write_text('target = "main"\nfollow = ["run:touch ran"]\n')
    refused = shell("homelab", "follow")
    assert refused.code == 2, refused
    assert not (clone.path / "ran").exists()


def test_for_a_commit_that_is_named_its_own_file_counts(shell: Shell, clone: Clone, push: Callable[..., None]) -> None:
    push(timelines.make_green())
    first = clone.head
    (clone.path / ".homelab.toml").write_text('follow = ["mirror:nowhere"]\n')
    assert shell("homelab", "follow", "--onto", "main").code == 2
    assert shell("homelab", "follow", first, "--onto", "main").result["link"] == "ci"
    clone.git("add", ".homelab.toml")
    clone.git("commit", "--quiet", "-m", "links")
    (clone.path / ".homelab.toml").unlink()
    assert shell("homelab", "follow", "HEAD", "--onto", "main").code == 2


def test_a_manual_pipeline_counts_if_a_variable_names_the_commit(
    shell: Shell, clone: Clone, woodpecker: WoodpeckerSimulator
) -> None:
    """As a build of the mirror starts the deployment: the pipeline's own commit is that of the branch's tip."""
    other = "d" * 40
    named = {"IMAGE_TAG": clone.head[:8]}
    woodpecker.push(
        "acme/app", "main", other, timelines.make_green(), after=-60.0, event="manual", extra={"variables": named}
    )
    others = {"variables": {"A": "b"}}
    woodpecker.push("acme/app", "main", other, timelines.make_red(), after=-30.0, event="manual", extra=others)
    ended = follow(shell, ["ci:manual"])
    assert (ended.code, ended.result["pipelines"]) == (0, "#1"), ended


def test_a_pipeline_of_another_repository_counts_only_for_a_link_that_names_it(
    shell: Shell, clone: Clone, woodpecker: WoodpeckerSimulator
) -> None:
    """Both repositories have a pipeline of the commit."""
    woodpecker.store.repositories = [SimulatedRepo(id=8, full_name="acme/app"), SimulatedRepo(id=9, full_name="acme/b")]
    woodpecker.push("acme/app", "main", clone.head, timelines.make_red(), after=-60.0)
    woodpecker.push("acme/b", "main", clone.head, timelines.make_green(), after=-60.0)
    ended = follow(shell, ["ci:push@acme/b"])
    assert (ended.code, ended.result["link"]) == (0, "ci:push@acme/b"), ended
    assert follow(shell, ["ci:push@acme/b", "ci"]).result["link"] == "ci"


@pytest.mark.parametrize(("code", "exit_"), [(124, 124), (9, 1), (255, 1)])
def test_124_of_a_command_is_undecided_and_any_other_code_failed(shell: Shell, code: int, exit_: int) -> None:
    assert follow(shell, [f"run:exit {code}"]).code == exit_


def test_a_note_is_written_if_that_is_set(shell: Shell, clone: Clone, push: Callable[..., None]) -> None:
    push(timelines.make_green())
    clone.git("config", "homelab.notes", "true")
    assert follow(shell, ["ci"]).code == 0
    assert clone.git("notes", "--ref", "homelab", "show").startswith("homelab: passed exit=0 ended=")
    assert json.loads(next((clone.path / ".git/homelab/receipts").iterdir()).read_text())["verdict"] == "passed"
