"""Evaluates the `when` conditions of workflows for a push or a tag, as far as the result is certain.

The rules are those of Woodpecker 3.17 (pipeline/frontend/yaml/constraint in its source). The server knows more than git
does here: variables, secrets, the forge's list of changed files. So every condition has three results: it matches, it
does not, or it is not decided. An entry with a condition that certainly does not match is excluded, even if others are
undecided, because all of them must match. A pipeline without a workflow is never stored, and its row lives for
less than a second.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache

from homelab_hooks.ci.provider import Trigger
from homelab_hooks.ci.woodpecker.workflow_yaml import (
    NULL_TAG,
    MappingNode,
    Node,
    ScalarNode,
    SequenceNode,
    UnsupportedFormError,
    read_fields,
    read_workflow,
)

MAX_NODES = 1000
"""nodes of a `when` that are read: aliases can multiply a few lines without end"""
_FOR_PUSHES = {"branch", "path"}
_FOR_OTHERS = {"cron", "status", "local", "matrix"}
"""conditions for other events, or for steps, which a workflow ignores"""
_BRANCH_PREFIX = "refs/heads/"
_SUFFIXES = (".yaml", ".yml")
_LIST_FIELDS = {"include", "exclude"}
_PATH_FIELDS = _LIST_FIELDS | {"ignore_message", "on_empty"}
_BRACES = re.compile(r"\{([^{}/]*)\}")
_NOT_DECIDED_IN_GLOB = re.compile(r"[\[\]{}\\]|\*\*[^/]|[^/]\*\*")
"""character classes, escapes, and `**` that is not a whole part of a path: versions of the server differ"""

Result = bool | None
"""True: matches; False: does not; None: not decided here"""
Value = str | list["Value"] | dict[str, "Value"]


def are_all_filtered(files: Mapping[str, str], trigger: Trigger) -> Result:
    r"""Return whether no workflow's conditions match; None if that is not certain.

    Args:
        files: the texts of the configuration's files by path.

    >>> text = "when: {event: push, branch: main, path: 'src/**'}\nsteps: [{name: a}]"
    >>> push = Trigger(event="push", refs=("refs/heads/main",), paths=("README.md",), has_all_paths=True)
    >>> are_all_filtered({".woodpecker.yaml": text}, push)
    True
    >>> are_all_filtered({".woodpecker.yaml": text}, push._replace(paths=("src/a/b.py",)))
    False
    """
    found = [text for path, text in files.items() if path.endswith(_SUFFIXES)]
    if not found:
        return None
    return _invert(_any(_evaluate_workflow(text, trigger) for text in found))


def _evaluate_workflow(text: str, trigger: Trigger) -> Result:
    try:
        top = read_fields(read_workflow(text))
        when = _to_value(top["when"], _count_nodes()) if "when" in top else {}
    except (UnsupportedFormError, RecursionError):
        return None
    entries = when if isinstance(when, list) else [when]
    # An empty list filters nothing, and a workflow whose steps are all filtered is filtered out too.
    matches = _any(_evaluate_entry(entry, trigger) for entry in entries) if entries else True
    return matches if matches is not True or _has_unconditional_step(top.get("steps")) else None


def _has_unconditional_step(steps: Node | None) -> bool:
    """Return whether at least one step has no conditions of its own."""
    if isinstance(steps, MappingNode):
        bodies = [body for _, body in steps.value]
    else:
        bodies = steps.value if isinstance(steps, SequenceNode) else []
    return any(
        isinstance(body, MappingNode)
        and not {"when", "<<"} & {key.value for key, _ in body.value if isinstance(key, ScalarNode)}
        for body in bodies
    )


def _count_nodes() -> Callable[[], None]:
    """Return a function that raises once it was called too often."""
    left = iter(range(MAX_NODES))

    def count() -> None:
        if next(left, None) is None:
            raise UnsupportedFormError

    return count


def _to_value(node: Node, count: Callable[[], None]) -> Value:
    count()
    if isinstance(node, ScalarNode) and node.tag != NULL_TAG:
        return str(node.value)
    if isinstance(node, SequenceNode):
        return [_to_value(item, count) for item in node.value]
    if not isinstance(node, MappingNode) or not all(isinstance(key, ScalarNode) for key, _ in node.value):
        raise UnsupportedFormError
    return {str(key.value): _to_value(value, count) for key, value in node.value}


def _evaluate_entry(entry: Value, trigger: Trigger) -> Result:
    """Evaluate one entry of `when`, all of whose conditions must match."""
    if not isinstance(entry, dict):
        return None
    results = [_evaluate_condition(key, value, trigger) for key, value in entry.items()]
    return False if False in results else None if None in results else True


def _evaluate_condition(key: str, value: Value, trigger: Trigger) -> Result:
    """Evaluate one condition. A tag has neither a branch nor changed files, so these match (constraint.go)."""
    try:
        if key == "event":
            return trigger.event in _read_texts(value)
        if key in _FOR_OTHERS or (key in _FOR_PUSHES and trigger.event != "push"):
            return True
        if key == "path":
            return _match_paths(value, trigger)
        prefix = {"branch": _BRANCH_PREFIX, "ref": ""}.get(key)
        names = [ref.removeprefix(prefix) for ref in trigger.refs] if prefix is not None else []
        return _match_one_of(value, names)
    except UnsupportedFormError:
        return None


def _match_one_of(value: Value, names: Sequence[str]) -> Result:
    """Match the name that was pushed. If several are possible, all must have the same result."""
    results = {_match_names(value, name) for name in names}
    return results.pop() if len(results) == 1 else None


def _match_names(value: Value, name: str) -> Result:
    """Match a list of names, or a mapping with `include` and `exclude`, which wins."""
    include, exclude = _read_lists(value, _LIST_FIELDS)
    excluded = _any(_match_glob(pattern, name) for pattern in exclude)
    included = _any(_match_glob(pattern, name) for pattern in include) if include else True
    return False if excluded is True else None if excluded is None and included is not False else included


def _match_paths(value: Value, trigger: Trigger) -> Result:
    """Match the changed files: one must be included, and not all may be excluded."""
    include, exclude = _read_lists(value, _PATH_FIELDS)
    ignored = value.get("ignore_message", "") if isinstance(value, dict) else ""
    on_empty = value.get("on_empty", "true") if isinstance(value, dict) else "true"
    if not isinstance(ignored, str) or on_empty not in ("true", "false"):
        raise UnsupportedFormError
    if ignored and ignored.lower() in trigger.message.lower():
        return True
    if not trigger.paths:
        return on_empty == "true" if trigger.has_all_paths else None
    excluded = _all_excluded(exclude, trigger) if exclude else False
    included = _any(_match_glob(pattern, path) for pattern in include for path in trigger.paths) if include else True
    if included is False and not trigger.has_all_paths:
        included = None
    return False if excluded is True or included is False else None if None in (excluded, included) else True


def _all_excluded(patterns: Sequence[str], trigger: Trigger) -> Result:
    """Return whether every changed file is excluded; one file that certainly is not is enough to decide."""
    results = [_any(_match_glob(pattern, path) for pattern in patterns) for path in trigger.paths]
    if False in results:
        return False
    return None if None in results or not trigger.has_all_paths else True


def _read_lists(value: Value, fields: set[str]) -> tuple[list[str], list[str]]:
    """Return the included and the excluded patterns of a condition."""
    if not isinstance(value, dict):
        return _read_texts(value), []
    if set(value) - fields:
        raise UnsupportedFormError
    return _read_texts(value.get("include", [])), _read_texts(value.get("exclude", []))


def _read_texts(value: Value) -> list[str]:
    """Return a text or a list of texts as a list."""
    if isinstance(value, str):
        return [value]
    texts = [item for item in value if isinstance(item, str)]
    if isinstance(value, dict) or len(texts) != len(value) or not all(texts):
        raise UnsupportedFormError
    return texts


def _match_glob(pattern: str, text: str) -> Result:
    """Match a pattern as the server does: `*` within a part of a path, `**` for any number of parts.

    >>> _match_glob("docs/**", "docs/a/b.md"), _match_glob("*.md", "docs/a.md"), _match_glob("**/*.md", "a.md")
    (True, False, True)
    >>> _match_glob("release-{1,2}", "release-2"), _match_glob("[ab]", "a")
    (True, None)
    """
    choices = list(_expand_braces(pattern))
    if any(_NOT_DECIDED_IN_GLOB.search(choice) for choice in choices):
        return None
    return any(_compile_glob(choice).fullmatch(text) for choice in choices)


def _expand_braces(pattern: str) -> Iterator[str]:
    """Yield the pattern with each choice of its first pair of braces; more than one pair stays as it is."""
    found = _BRACES.search(pattern)
    for choice in found[1].split(",") if found else ():
        yield f"{pattern[: found.start()]}{choice}{pattern[found.end() :]}" if found else pattern
    if not found:
        yield pattern


@cache
def _compile_glob(pattern: str) -> re.Pattern[str]:
    """Return the pattern as a regular expression that needs no exponential time, whatever a repository's file contains.

    After a star, the first place where the text up to the next star matches is as good as any later one, so an atomic
    group keeps it. A `**` begins a group of its own: what follows it up to the next `**` may match in another part.
    """
    *groups, last = _split_at_deep_stars(pattern)
    return re.compile("".join(f"(?>{_join_pieces(group)})" for group in groups) + _join_pieces(last), re.DOTALL)


def _split_at_deep_stars(pattern: str) -> list[list[str]]:
    """Return the groups of a pattern, each as its pieces; all but the first piece of the first group begin with a star.

    >>> _split_at_deep_stars("docs/**/a*b")
    [['docs/'], ['(?:.*?/)??a', '[^/]*?b']]
    """
    *parts, last = pattern.split("/")
    groups = [[""]]
    for part in parts:
        if part == "**":
            groups.append(["(?:.*?/)??"])
        else:
            _add_part(groups[-1], f"{part}/")
    if last != "**":
        _add_part(groups[-1], last)
    elif parts and groups[-1][-1].endswith("/"):  # `docs/**` matches `docs` too
        groups[-1][-1] = f"{groups[-1][-1].removesuffix('/')}(?:/.*)?"
    else:
        groups[-1][-1] += ".*"
    return groups


def _add_part(pieces: list[str], part: str) -> None:
    for char in part:
        if char == "*":
            pieces.append("[^/]*?")
        else:
            pieces[-1] += "[^/]" if char == "?" else re.escape(char)


def _join_pieces(pieces: Sequence[str]) -> str:
    """Return the expression of a group; the last star may have to match more than at first."""
    return "".join(f"(?>{piece})" if 0 < number < len(pieces) - 1 else piece for number, piece in enumerate(pieces))


def _any(results: Iterable[Result]) -> Result:
    known = list(results)
    return True if True in known else None if None in known else False


def _invert(result: Result) -> Result:
    return None if result is None else not result
