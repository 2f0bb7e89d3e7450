"""What a commit's files show about the commit before: the configuration where CI reads it, then all other files."""

from __future__ import annotations

import pytest

from homelab_hooks.app.previous_state import cache_dependence, find_dependence
from homelab_hooks.ci.model import Repo
from homelab_hooks.ci.woodpecker.traits import WOODPECKER
from homelab_hooks.git.reader import ReadOnlyRepository
from homelab_hooks.git.runner import DirectRunner
from homelab_hooks.simulators.repositories import Clone

PLAIN = "steps: [{name: test, image: x, commands: [make test]}]\n"
BY_PATH = "when: {path: 'a/**'}\nsteps: [{name: apply}]\n"
CASES: dict[str, tuple[dict[str, str], str, str]] = {
    "plain": ({".woodpecker.yaml": PLAIN}, "", ""),
    "the folder wins": ({".woodpecker.yaml": BY_PATH, ".woodpecker/a.yaml": PLAIN}, "", ""),
    "a path condition": ({".woodpecker/a.yaml": BY_PATH}, "", ".woodpecker/a.yaml has a path condition"),
    "another place": ({"ci/main.yml": BY_PATH, ".woodpecker.yaml": PLAIN}, "ci/main.yml", "ci/main.yml has a path"),
    "another folder": ({"ci/main.yml": BY_PATH, ".woodpecker.yaml": PLAIN}, "ci/", "ci/main.yml has a path"),
    "no configuration": ({}, "", "there is no configuration"),
    "a script": ({".woodpecker.yaml": PLAIN, "apply.sh": "$CI_PREV_COMMIT_SHA"}, "", "apply.sh mentions CI_PREV_*"),
    "a description": ({".woodpecker.yaml": PLAIN, "doc/x.Markdown": "$CI_PREV_COMMIT_SHA"}, "", ""),
}


@pytest.mark.parametrize(("files", "config_path", "sign"), CASES.values(), ids=CASES)
def test_the_first_sign_is_named(
    ann: Clone, seal: dict[str, str], files: dict[str, str], config_path: str, sign: str
) -> None:
    for name, text in files.items():
        ann.write(name, text)
    ann.git("add", "--all")
    ann.git("commit", "--quiet", "--allow-empty", "-m", "files")
    git, repo = ReadOnlyRepository(DirectRunner(seal, ann.path)), Repo(id=8, full_name="a/b", config_path=config_path)
    found = find_dependence(git, ann.head, repo, WOODPECKER)
    assert found.startswith(sign)
    assert bool(found) is bool(sign)
    assert cache_dependence(git, WOODPECKER)(repo, ann.head) == found


def test_a_commit_that_is_not_here_counts_as_dependence(ann: Clone, seal: dict[str, str]) -> None:
    git = ReadOnlyRepository(DirectRunner(seal, ann.path))
    assert find_dependence(git, "0" * 40, Repo(id=8, full_name="a/b"), WOODPECKER) == "the configuration cannot be read"
