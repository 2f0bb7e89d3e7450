"""Whether a pre-commit configuration has hooks for the pre-push stage."""

from __future__ import annotations

from pathlib import Path

import pytest

from homelab_hooks.land.pre_commit_config import MAX_CONFIG_CHARS, has_pre_push_hooks
from homelab_hooks.land.verification import detect_in

LOCAL = "repos:\n- repo: local\n  hooks:\n"

PRE_PUSH = {
    "block": f"{LOCAL}  - id: x\n    stages:\n    - pre-commit\n    - pre-push\n",
    "flow list": f"{LOCAL}  - id: x\n    stages: [pre-commit, pre-push]\n",
    "flow mapping": f"{LOCAL}  - {{id: x, stages: [pre-push]}}\n",
    "flow file": "{repos: [{repo: local, hooks: [{id: x, stages: ['pre-push']}]}]}",
    "the older name": f"{LOCAL}  - id: x\n    stages: [push]\n",
    "one name": f"{LOCAL}  - id: x\n    stages: pre-push\n",
    "second repository": f"{LOCAL}  - id: x\n- repo: local\n  hooks: [{{id: y, stages: [push]}}]\n",
    "alias of a list": f"stages: &late [pre-push]\n{LOCAL}  - id: x\n    stages: *late\n",
    "alias of a hook": f"x-hook: &hook {{id: x, stages: [pre-push]}}\n{LOCAL}  - *hook\n",
    "merged": f"x-late: &late\n  stages: [pre-push]\n{LOCAL}  - <<: *late\n    id: x\n",
    "merged list": f"x: [&a {{id: x}}, &b {{stages: [pre-push]}}]\n{LOCAL}  - <<: [*a, *b]\n",
    "comments": f"# all\n{LOCAL}  # here\n  - id: x  # hook\n    stages: [  # late\n      pre-push,\n    ]\n",
    "default": f"default_stages: [pre-push]\n{LOCAL}  - id: x\n",
    "default in block": f"default_stages:\n- push\n{LOCAL}  - id: x\n  - id: y\n    stages: [pre-commit]\n",
    "quoted": f'{LOCAL}  - id: x\n    "stages": ["pre-push"]\n',
    "one hook under two repositories": "x: &h [{id: x, stages: [push]}]\nrepos: [{hooks: *h}, {hooks: *h}]\n",
}

MERGES = "".join(f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}\n" for n in range(1, 40))
LISTS = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 40))

NOT_PRE_PUSH = {
    "empty": "",
    "only a comment": "# stages: [pre-push]\n",
    "no hooks": "default_stages: [pre-push]\n",
    "another stage": f"{LOCAL}  - id: x\n    stages: [pre-commit]\n",
    "every stage": f"{LOCAL}  - id: x\n",
    "default, but each hook has its own": f"default_stages: [pre-push]\n{LOCAL}  - id: x\n    stages: [manual]\n",
    "own before merged": f"x: &late {{stages: [pre-push]}}\n{LOCAL}  - <<: *late\n    stages: [manual]\n",
    "installed hook types": f"default_install_hook_types: [pre-push]\n{LOCAL}  - id: x\n",
    "in a comment": f"{LOCAL}  - id: x  # stages: [pre-push]\n",
    "in a script": f"{LOCAL}  - id: x\n    entry: |\n      stages: [pre-push]\n",
    "tabs": f"{LOCAL}  - id: x\n\t\tstages: [pre-push]\n",
    "list at the top": "- id: x\n  stages: [pre-push]\n",
    "text at the top": "stages pre-push",
    "two documents": f"{LOCAL}  - {{id: x, stages: [push]}}\n---\n{{}}\n",
    "stages is a number": f"{LOCAL}  - id: x\n    stages: 3\n  - id: y\n    stages: [pre-push]\n",
    "stages is a mapping": f"{LOCAL}  - id: x\n    stages: {{pre-push: true}}\n",
    "stages holds nothing": f"{LOCAL}  - id: x\n    stages: [null, pre-push]\n",
    "repos is a mapping": "repos: {hooks: [{id: x, stages: [pre-push]}]}\n",
    "a hook is a text": "repos: [{hooks: [pre-push]}]\n",
    "duplicate key": f"{LOCAL}  - id: x\n    stages: [pre-push]\n    stages: [pre-commit]\n",
    "duplicate repos": "repos: [{hooks: [{id: x, stages: [pre-push]}]}]\nrepos: []\n",
    "key that is a list": "? [a]\n: b\nrepos: [{hooks: [{id: x, stages: [pre-push]}]}]\n",
    "merges a text": f"{LOCAL}  - <<: x\n    stages: [pre-push]\n",
    "unknown alias": f"{LOCAL}  - *gone\n",
    "refers to itself": "repos: &r [*r]\n",
    "merges itself": f"{LOCAL}  - &h {{<<: *h, id: x}}\n",
    "python object": "!!python/object/apply:os.system ['true']\n",
    "control character": f"{LOCAL}  - {{id: x\x07, stages: [pre-push]}}\n",
    "bomb of lists": f"a0: &a0 [x]\n{LISTS}repos: *a39\n",
    "bomb of merge keys": f"a0: &a0 {{id: x}}\n{MERGES}repos: [{{hooks: [*a39]}}]\n",
    "deeply nested": "{a: " * 5000,
    "deeply nested lists": "- " * 5000,
    "too large": f"{LOCAL}  - {{id: x, stages: [pre-push]}}\n#" + "x" * MAX_CONFIG_CHARS,
}


@pytest.mark.parametrize("text", PRE_PUSH.values(), ids=PRE_PUSH)
def test_a_hook_for_the_pre_push_stage_is_found(text: str) -> None:
    assert has_pre_push_hooks(text)


@pytest.mark.parametrize("text", NOT_PRE_PUSH.values(), ids=NOT_PRE_PUSH)
def test_a_file_without_them_or_that_pre_commit_would_refuse_has_none(text: str) -> None:
    """Each is an answer, never a traceback, and a file that multiplies itself is answered at once."""
    assert not has_pre_push_hooks(text)


def test_a_file_of_ten_megabytes_is_not_parsed(tmp_path: Path) -> None:
    hook = "  - {id: x, stages: [pre-push]}\n"
    (tmp_path / ".pre-commit-config.yaml").write_text(LOCAL + hook * (10_000_000 // len(hook)))
    (tmp_path / "go.mod").write_text("module x\n")
    found = detect_in(tmp_path)
    assert found is not None
    assert found.candidates[0].command == "go test ./..."
