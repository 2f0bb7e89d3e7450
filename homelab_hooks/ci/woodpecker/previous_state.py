"""Finds out whether workflows depend on the previous commit, so that a newer pipeline does not repeat their work.

Woodpecker evaluates `path` conditions against the files that the push changed, and gives a pipeline the commit of the
one before it in `CI_PREV_*`. A pipeline that was stopped half-way counts as the one before it. So the newer pipeline
does less than both would have: the work that was stopped is never done. What is not understood counts as dependence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from homelab_hooks.ci.woodpecker.traits import PREVIOUS_STATE_WORDS
from homelab_hooks.ci.woodpecker.workflow_yaml import (
    MappingNode,
    Node,
    ScalarNode,
    SequenceNode,
    UnsupportedFormError,
    read_fields,
    read_keys,
    read_scalars,
    read_workflow,
)
from homelab_hooks.text.sanitize import strip_control_chars

_EARLIER_COMMIT = re.compile(r"HEAD[~^]|(?<![\w/.-])@[~^]|\bHEAD@\{|\bORIG_HEAD\b")
"""not the version ranges of package managers, such as `app@^1.2`"""
_SUFFIXES = (".yaml", ".yml")
_STEP_SECTIONS = ("steps", "services", "clone", "pipeline")
_UNKNOWN_FORM = "has a form that cannot be evaluated"


def find_dependence(files: Mapping[str, str]) -> str:
    r"""Return the first sign that a run depends on the commit before it, in words; empty if there is none.

    Args:
        files: the texts of the configuration's files by path.

    >>> find_dependence({".woodpecker.yaml": "when: {event: push}\nsteps: [{name: a, image: b, commands: [make]}]"})
    ''
    >>> find_dependence({".woodpecker.yaml": "when: {path: 'src/**'}\nsteps: [{name: a}]"})
    '.woodpecker.yaml has a path condition'
    """
    found = {path: text for path, text in files.items() if path.endswith(_SUFFIXES)}
    if not found:
        return "there is no configuration at the commit"
    signs = ((path, _find_sign(text)) for path, text in found.items())
    return next((f"{strip_control_chars(path)} {sign}" for path, sign in signs if sign), "")


def _find_sign(text: str) -> str:
    """Return the first sign of dependence in one file; empty if there is none."""
    if sign := _find_word(text):
        return sign
    try:
        root = read_workflow(text)
        # A quoted or folded scalar may spell a word in another way than the text of the file does.
        return next(filter(None, map(_find_word, read_scalars(root))), "") or _find_path_condition(root)
    except (UnsupportedFormError, RecursionError):
        return _UNKNOWN_FORM


def _find_word(text: str) -> str:
    word = next((word for word in PREVIOUS_STATE_WORDS if word in text), "")
    earlier = _EARLIER_COMMIT.search(text)
    return f"uses {word}{'*' if word.endswith('_') else ''}" if word else f"uses {earlier.group(0)}" if earlier else ""


def _find_path_condition(root: MappingNode) -> str:
    """Look at `when` of the workflow, and of each step wherever it is defined."""
    for owner, node in _conditions(root):
        for entry in node.value if isinstance(node, SequenceNode) else [node]:
            if isinstance(entry, ScalarNode) and not entry.value:
                continue  # `when:` without a value filters nothing
            if not isinstance(entry, MappingNode) or "<<" in read_keys(entry):
                return _UNKNOWN_FORM
            if "path" in read_keys(entry):
                return f"has a path condition{owner}"
    return ""


def _conditions(root: MappingNode) -> Iterator[tuple[str, Node]]:
    """Yield each `when` with its owner in words: of the workflow, and of each step, service, and clone step."""
    fields = read_fields(root)
    if "when" in fields:
        yield "", fields["when"]
    for section in _STEP_SECTIONS:
        for name, body in _bodies(fields.get(section)):
            inner = read_fields(body)
            if "when" in inner:
                yield f" in step {strip_control_chars(name)}" if name else " in a step", inner["when"]


def _bodies(section: Node | None) -> Iterator[tuple[str, MappingNode]]:
    """Yield the steps of a section, which is a list, or a mapping by name."""
    named: Iterable[tuple[str, Node]] = ()
    if isinstance(section, SequenceNode):
        named = [("", body) for body in section.value]
    elif isinstance(section, MappingNode):
        named = read_fields(section).items()
    elif section is not None and section.value:
        raise UnsupportedFormError
    for key, body in named:
        if not isinstance(body, MappingNode):
            raise UnsupportedFormError
        inner = read_fields(body).get("name")
        yield key or (str(inner.value) if isinstance(inner, ScalarNode) else ""), body
