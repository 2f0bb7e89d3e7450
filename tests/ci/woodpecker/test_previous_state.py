"""A configuration depends on the previous commit unless everything in it shows that it does not."""

from __future__ import annotations

import pytest

from homelab_hooks.ci.woodpecker.previous_state import find_dependence
from homelab_hooks.ci.woodpecker.workflow_yaml import MAX_CONFIG_CHARS, MAX_FILE_NODES

INDEPENDENT = {
    "one step": "when: {event: push}\nsteps: [{name: a, image: b, commands: [make]}]",
    "steps by name": "steps:\n  build: {image: b, when: {branch: main}}",
    "several conditions": "when:\n  - event: push\n    branch: main\n  - event: tag\nsteps: [{name: a}]",
    "empty when": "when:\nsteps:\n  - name: a\n",
    "no conditions": "when: []\nsteps: [{name: a}]",
    "an anchor": "x: &a {event: push}\nsteps: [{name: s, when: *a}]",
    "a version range": "steps: [{name: a, commands: ['npm install app@^1.2 other@~2']}]",
    "a path that is no condition": "steps: [{name: a, settings: {path: src}, environment: {path: x}}]",
    "services and clone": "clone: {git: {image: g}}\nservices: [{name: db}]\nsteps: [{name: a}]",
}
DEPENDENT = {
    "a path": ("when: {path: 'src/**'}\nsteps: [{name: a}]", "path condition"),
    "a list of paths": ("when: {event: push, path: [a, b]}\nsteps: [{name: a}]", "path condition"),
    "included paths": ("when:\n- event: push\n- path: {include: [a]}\nsteps: [{name: a}]", "path condition"),
    "a step's path": ("steps:\n- name: a\n  when:\n  - path: [x]\n", "path condition in step a"),
    "a named step's path": ("steps:\n  build:\n    when: {path: x}", "path condition in step build"),
    "a service's path": ("steps: [{name: a}]\nservices: [{name: db, when: {path: x}}]", "in step db"),
    "a clone step's path": ("steps: [{name: a}]\nclone: [{image: g, when: {path: x}}]", "in a step"),
    "the old name of steps": ("pipeline:\n  build: {when: {path: x}}", "in step build"),
    "an anchor": ("x: &a {path: b}\nsteps: [{name: s, when: *a}]", "path condition"),
    "a variable": ("steps: [{name: a, commands: ['git diff $CI_PREV_COMMIT_SHA']}]", "CI_PREV_*"),
    "an expression": ("when: {evaluate: 'CI_PIPELINE_FILES contains \"a\"'}\nsteps: [{name: a}]", "CI_PIPELINE_FILES"),
    "an escaped variable": ('steps: [{name: a, commands: ["echo $CI_\\x50REV_COMMIT_SHA"]}]', "CI_PREV_*"),
    "the parent": ("steps: [{name: a, commands: ['git diff HEAD~1']}]", "HEAD~"),
    "the first parent": ("steps: [{name: a, commands: ['git diff HEAD^']}]", "HEAD^"),
    "the parent, abbreviated": ("steps: [{name: a, commands: ['git diff @~']}]", "@~"),
    "the reflog": ("steps: [{name: a, commands: ['git diff HEAD@{1}']}]", "HEAD@{"),
    "when as a text": ("when: push\nsteps: [{name: a}]", "cannot be evaluated"),
    "a list of texts": ("when: [push]\nsteps: [{name: a}]", "cannot be evaluated"),
    "a merged mapping": ("x: &a {when: {path: b}}\nsteps: [{name: s, <<: *a}]", "cannot be evaluated"),
    "a merged condition": ("x: &a {path: b}\nsteps: [{name: s, when: {<<: *a}}]", "cannot be evaluated"),
    "steps as a text": ("steps: make", "cannot be evaluated"),
    "a step as a text": ("steps: [make]", "cannot be evaluated"),
    "a key twice": ("when: {event: push}\nwhen: {path: x}\nsteps: [{name: a}]", "cannot be evaluated"),
    "no mapping": ("[]", "cannot be evaluated"),
    "broken": ("steps: [a", "cannot be evaluated"),
    "two documents": ("steps: [{name: a}]\n---\nwhen: {path: x}", "cannot be evaluated"),
    "too long": ("steps: [{name: a}]\n" + "#" * MAX_CONFIG_CHARS, "cannot be evaluated"),
    "too many nodes": (f"x: [{','.join('1' * (MAX_FILE_NODES + 1))}]\nsteps: [{{name: a}}]", "cannot be evaluated"),
}


@pytest.mark.parametrize("text", INDEPENDENT.values(), ids=INDEPENDENT)
def test_a_configuration_without_a_sign_does_not_depend(text: str) -> None:
    assert find_dependence({".woodpecker.yaml": text}) == ""


@pytest.mark.parametrize(("text", "sign"), DEPENDENT.values(), ids=DEPENDENT)
def test_a_sign_of_dependence_is_named_with_its_file(text: str, sign: str) -> None:
    found = find_dependence({".woodpecker/a.yaml": INDEPENDENT["one step"], ".woodpecker/b.yml": text})
    assert found.startswith(".woodpecker/b.yml ")
    assert sign in found


@pytest.mark.parametrize("files", [{}, {".woodpecker/README.md": "x"}, {".woodpecker/a.jsonnet": "{}"}])
def test_a_configuration_that_is_not_there_counts_as_dependence(files: dict[str, str]) -> None:
    assert find_dependence(files)
