"""Which `when` conditions filter a workflow out: only what is certain is decided."""

from __future__ import annotations

import itertools

import pytest

from homelab_hooks.ci.provider import Trigger
from homelab_hooks.ci.woodpecker.conditions import MAX_NODES, are_all_filtered
from homelab_hooks.ci.woodpecker.workflow_yaml import MAX_CONFIG_CHARS
from tests.growth import TOO_MUCH, growth

STEPS = "steps: [{name: test, image: alpine, commands: [make test]}]\n"
PUSH = Trigger(
    event="push", refs=("refs/heads/main",), paths=("docs/guide.md", "README.md"), has_all_paths=True, message="write\n"
)
TAG = Trigger(event="tag", refs=("refs/tags/v1.0",))


def filtered(when: str, trigger: Trigger = PUSH, *, steps: str = STEPS) -> bool | None:
    return are_all_filtered({".woodpecker.yaml": f"when: {when}\n{steps}"}, trigger)


MATCHING = [
    "{event: push}", "[{event: push}]", "{event: [tag, push]}", "{branch: main}", "{branch: ma*}",
    "{branch: [x, main]}",
    "{branch: {exclude: [release/*]}}", "{branch: '**'}", "{path: README.md}", "{path: '*.md'}", "{path: 'docs/**'}",
    "{path: '**/*.md'}", "{path: {include: [docs/*]}}", "{path: {exclude: ['docs/**']}}", "{path: ['x', 'docs/*.md']}",
    "{path: {include: [src/*], ignore_message: WRITE}}", "{}", "[]", "{event: push, branch: main, path: '**'}",
    "[{event: tag}, {event: push}]", "[{evaluate: 'x'}, {event: push}]", "{ref: refs/heads/*}", "{status: [failure]}",
    "{path: 'docs/{guide,index}.md'}", "{path: 'd?cs/*'}", "{cron: nightly}", "{path: 'docs/guide.md/**'}",
]  # fmt: skip
OUT = [
    "{event: tag}", "[{event: tag}, {event: [cron, manual]}]", "{branch: release}", "{branch: [release/*, dev]}",
    "{branch: {exclude: [main]}}", "{branch: {include: [main], exclude: [ma*]}}", "{path: 'src/**'}", "{path: '*.py'}",
    "{path: [src/*, test/*]}", "{path: {exclude: ['**/*.md']}}", "{path: {exclude: ['*.md', 'docs/**']}}",
    "{path: {include: ['docs/**'], exclude: ['**']}}", "{event: push, path: 'src/**'}", "{event: push, branch: dev}",
    "{evaluate: 'whatever', branch: dev}", "{repo: a/b, event: tag}", "[{branch: dev}, {path: Makefile}]",
    "{path: 'guide.md'}", "{path: 'docs'}", "{branch: mai}", "{branch: Main}", "{ref: refs/tags/*}",
    "{path: 'docs/{index,intro}.md'}", "{unknown: 1, event: tag}", "{path: {include: src/*, ignore_message: xyz}}",
]  # fmt: skip
UNKNOWN = [
    "{evaluate: 'CI_COMMIT_BRANCH == \"main\"'}", "{repo: acme/*}", "{platform: linux/*}", "{instance: ci}",
    "{unknown: 1}", "[{event: tag}, {evaluate: 'x'}]", "{branch: '[m]ain'}", "{path: 'docs/[a-z]*.md'}",
    "{path: 'docs**'}", "{path: '{a,{b,c}}'}", "{path: 'a\\\\*'}", "push", "[push]", "{event: {exclude: [push]}}",
    "{event: }", "{branch: ~}", "~", "{path: {on_empty: perhaps}}", "{path: {other: 1}}", "{branch: {a: 1}}",
    "{branch: {include: [main], more: 1}}", "{<<: {event: tag}}", "{path: {include: [[a]]}}", "{event: [[tag]]}",
    "{? [a] : b}",
]  # fmt: skip


@pytest.mark.parametrize("when", MATCHING)
def test_what_matches_is_not_filtered(when: str) -> None:
    assert filtered(when) is False


@pytest.mark.parametrize("when", OUT)
def test_what_certainly_does_not_match_is_filtered(when: str) -> None:
    assert filtered(when) is True


@pytest.mark.parametrize("when", UNKNOWN)
def test_what_is_not_certain_is_not_decided(when: str) -> None:
    assert filtered(when) is None


def test_a_workflow_without_conditions_matches() -> None:
    assert are_all_filtered({".woodpecker.yml": STEPS}, PUSH) is False


@pytest.mark.parametrize(
    "steps", ["steps: [{name: a, when: {event: tag}}]", "steps: {a: {when: {event: push}}}", "steps: []", ""]
)
def test_a_workflow_whose_steps_all_have_conditions_is_not_decided(steps: str) -> None:
    """The server filters a workflow without a step out too."""
    assert filtered("{event: push}", steps=steps) is None
    assert filtered("{event: tag}", steps=steps) is True


@pytest.mark.parametrize("kinds", list(itertools.product([True, False, None], repeat=2)))
def test_one_workflow_that_matches_is_enough_and_all_must_be_out(kinds: tuple[bool | None, ...]) -> None:
    texts = {True: "when: {event: tag}", False: "when: {event: push}", None: "when: {evaluate: x}"}
    files = {f".woodpecker/{number}.yaml": f"{texts[kind]}\n{STEPS}" for number, kind in enumerate(kinds)}
    expected = False if False in kinds else None if None in kinds else True
    assert are_all_filtered({**files, ".woodpecker/README.md": "no: [yaml"}, PUSH) is expected


@pytest.mark.parametrize(
    "when", ["{event: tag}", "{event: [push, tag]}", "{ref: 'refs/tags/v*'}", "{branch: x}", "{path: src/*}"]
)
def test_a_tag_has_neither_a_branch_nor_changed_files(when: str) -> None:
    assert filtered(when, TAG) is False


@pytest.mark.parametrize("when", ["{event: push}", "{ref: 'refs/tags/w*'}", "{event: push, branch: main}"])
def test_a_tag_is_filtered_by_event_and_ref(when: str) -> None:
    assert filtered(when, TAG) is True


@pytest.mark.parametrize(
    ("when", "expected"),
    [("{path: docs/*}", False), ("{path: src/*}", None), ("{path: {exclude: ['**']}}", None),
     ("{path: {exclude: [docs/*]}}", False), ("{path: src/*, event: tag}", True)],
)  # fmt: skip
def test_with_files_missing_from_the_list_only_what_they_cannot_change_is_decided(
    when: str, *, expected: bool | None
) -> None:
    assert filtered(when, PUSH._replace(has_all_paths=False)) is expected


@pytest.mark.parametrize(
    ("when", "expected"),
    [("{path: src/*}", False), ("{path: {include: [src/*], on_empty: false}}", True),
     ("{path: {include: [src/*], on_empty: true}}", False)],
)  # fmt: skip
def test_a_push_without_changed_files_matches_unless_the_condition_says_otherwise(when: str, *, expected: bool) -> None:
    assert filtered(when, PUSH._replace(paths=())) is expected
    assert filtered(when, PUSH._replace(paths=(), has_all_paths=False)) is None


@pytest.mark.parametrize(
    ("when", "expected"), [("{branch: main}", None), ("{branch: x}", True), ("{branch: ['*']}", False)]
)
def test_of_several_branches_all_must_have_the_same_result(when: str, *, expected: bool | None) -> None:
    assert filtered(when, PUSH._replace(refs=("refs/heads/main", "refs/heads/dev"))) is expected
    assert filtered(when, PUSH._replace(refs=())) is None


BOMB = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{f'*a{n - 1}, ' * 9}]\n" for n in range(1, 30))
HOSTILE = {
    "not YAML": "when: [",
    "a list": "- when: {event: tag}",
    "a text": "when",
    "nothing": "",
    "two documents": f"when: {{event: tag}}\n{STEPS}---\n{STEPS}",
    "aliases without end": f"{BOMB}when: {{branch: *a29}}\n{STEPS}",
    "too many names": f"when: {{branch: [{'x, ' * MAX_NODES}]}}\n{STEPS}",
    "an alias to itself": f"when: &a [*a]\n{STEPS}",
    "too deep": f"when: {'[' * 5000}",
    "too long": f"when: {{event: tag}}\n{'#' * MAX_CONFIG_CHARS}",
    "merged": f"x: &x {{when: {{event: tag}}}}\n<<: *x\n{STEPS}",
    "a key twice": f"when: {{event: push}}\nwhen: {{event: tag}}\n{STEPS}",
    "control characters": f"when: {{event: '\x00'}}\n{STEPS}",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_configuration_that_cannot_be_read_is_not_decided(name: str) -> None:
    assert are_all_filtered({".woodpecker.yaml": HOSTILE[name]}, PUSH) is None


def test_without_a_configuration_nothing_is_decided() -> None:
    assert are_all_filtered({}, PUSH) is None
    assert are_all_filtered({".woodpecker/notes.md": "x"}, PUSH) is None


@pytest.mark.parametrize(
    ("pattern", "piece"), [("*a*a*a*b", "a"), ("**/a/**/a/**/a/**/b", "a/"), ("**/*a*a/**/b", "aa/")]
)
def test_a_pattern_of_many_stars_takes_no_longer_for_their_number(pattern: str, piece: str) -> None:
    """The file is the repository's, and so is the name of the branch or the path."""

    def match(size: int) -> None:
        path = piece * (size // len(piece))
        assert filtered(f"{{path: '{pattern}'}}", PUSH._replace(paths=(path,))) is True

    assert growth(match, 60) < TOO_MUCH


@pytest.mark.parametrize("pattern", ["**/**", "**", "**/*a*a*a*/*", "d*/a?a/**", "*/**/a*/**/*b"])
def test_a_star_takes_as_much_as_the_rest_of_the_pattern_leaves(pattern: str) -> None:
    assert filtered(f"{{path: '{pattern}'}}", PUSH._replace(paths=("d/aba/xb/aa/bab",))) is (pattern == "**/*a*a*a*/*")
