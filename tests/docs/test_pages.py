"""Every command that the documentation shows runs, in the demo's repository, and ends as it says."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator

import pytest

from homelab_hooks.demo.environment import DemoEnvironment
from homelab_hooks.demo.scenarios import SCENARIOS
from homelab_hooks.system.process_runner import ProcessRunner
from tests.docs.pages import PAGES, ROOT, commands
from tests.waiting import HANG_S

ELSEWHERE = {
    r"make (demo|test|check|bench)\b": "a make target: make itself says whether it is there",
    r"(pipx|uv|pip|brew) ": "an installation: tests/wheel installs the wheel",
    r"pre-commit |prek ": "another tool's command: tests/precommit runs them",
    r"homelab hooks install --global": "needs git 2.54: tests/hooks/install/test_settings.py has it where one is named",
    r"git clone ": "of a server that is not there",
    r"man ": "needs an installed wheel: tests/wheel opens the pages",
    r"homelab demo\b": "a demo in the demo: tests/e2e/test_demo.py runs every scenario",
}
"""what is not run here, and who runs it"""
LINKS = re.compile(r"\]\((?!https?:)([^)#\s]+)")


def elsewhere(line: str) -> bool:
    return any(re.match(pattern, line) for pattern in ELSEWHERE)


@pytest.fixture(scope="module")
def scene() -> Iterator[DemoEnvironment]:
    """Return the repository of the demo, with the `make check` that the pages show."""
    green = SCENARIOS["green"]
    with DemoEnvironment(os.environ, green.script, green.rollout) as made:
        made.my_clone.commit("Makefile", "check:\n\t@true\n", message="add a test command")
        yield made


@pytest.mark.first
@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in PAGES if any(shown.page == page for shown in commands())])
def test_the_commands_of_a_page_end_as_it_says(scene: DemoEnvironment, page: str) -> None:
    left = [shown for shown in commands() if shown.page == page and not elsewhere(shown.line)]
    without_jq = [] if shutil.which("jq", path=scene.environ["PATH"]) else [it for it in left if " jq " in it.line]
    for _, line, code in (shown for shown in left if shown not in without_jq):
        done = ProcessRunner(scene.environ).run(["sh", "-c", line], cwd=scene.my_clone.path, timeout=HANG_S)
        assert done.code == code, f"{line}\n{done.out}{done.err}"
    if without_jq:
        pytest.skip(f"jq not found: {len(without_jq)} of {len(left)} commands were not run")


def test_a_make_target_that_is_shown_exists() -> None:
    rules = (ROOT / "Makefile").read_text(encoding="utf-8")
    for shown in commands():
        if shown.line.startswith("make "):
            assert re.search(rf"^{shown.line.split()[1]}:", rules, re.MULTILINE), shown


@pytest.mark.parametrize("page", [*PAGES, "CONTRIBUTING.md", "SECURITY.md"])
def test_a_link_leads_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    dead = [link for link in LINKS.findall(text) if not (ROOT / page).parent.joinpath(link).exists()]
    assert dead == []


def test_every_page_is_reached_from_the_readme() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [page for page in PAGES if page != "README.md" and f"({page})" not in text] == []
