"""The generated part of docs/events.md: each event with its fields, from the schema, and an example from a real run."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

from homelab_hooks.verdict import VERDICTS

ROOT = Path(__file__).parent.parent
SCHEMA = ROOT / "homelab_hooks" / "schema" / "events.json"
EXAMPLES = ROOT / "tools" / "event_examples.json"
HEAD_FIELDS = ("schema", "seq", "time", "event")
"""the fields of every event, which the page explains once"""
RECORDS = ("RevertResult", "PipelineResult", "DeployResult", "LinkResult", "MatrixAxis")
"""the objects inside events"""
DESCRIPTIONS = {
    "axes": "the variables of the matrix that distinguish this cell",
    "check": "what was checked",
    "command": "the command as it was called, without arguments",
    "deploys": "every workload that was waited for",
    "desired": "the pods that the workload wants",
    "detail": "a description",
    "error": "the server's error message",
    "evidence": "what was found",
    "exit_code": "the exit code of the step",
    "level": "the severity",
    "links": "the names of the links, in order",
    "exit": "the exit code",
    "event": "the event as CI names it: `push`, `tag`, ...",
    "elapsed": "seconds since the wait began",
    "link": "the name of the link",
    "reason": "what happened or what is waited for",
    "hint": "what to do",
    "took": "seconds",
    "age": "seconds",
    "trigger": "the event as CI names it",
    "source": "where it comes from",
    "name": "its name",
    "note": "why it changed or what it means, such as `superseded by #142`",
    "number": "the number of the pipeline in its repository",
    "pid": "the number within the pipeline that identifies it",
    "pipeline": "the number of the pipeline",
    "ref": "the ref that was pushed",
    "remedy": "what to do",
    "repo": "the repository in CI",
    "server": "the URL of the CI server",
    "sha": "the commit",
    "status": "the status as CI has it; `removed`: the server has removed it",
    "target": "the workload, `NAMESPACE/NAME` or `NAMESPACE/KIND/NAME`",
    "text": "the line",
    "url": "the page in a browser",
    "verdict": "one of the [verdicts](#verdicts)",
    "available": "the available pods, of all templates",
    "ready": "the ready pods, of all templates",
    "updated": "the pods of the current template",
    "old": "the pods of another template that are not terminating",
    "landed": "whether the commit is on the target; only from `git land`, and omitted if unknown",
    "pipelines": "every pipeline that decides",
    "phase": "the phase of the rollout",
    "stage": "the stage",
    "progress": "its progress",
    "health": "the outcome",
    "image": "the image that runs",
    "state": "the state as CI has it",
    "deciding": "false if its result does not count",
    "workflow": "the name of the workflow",
    "branch": "the branch that was pushed",
    "under_way": "whether it is running",
    "setting": "the name of the setting",
    "value": "the value",
    "verb": "the words after `homelab`",
    "tier": "the access tier",
    "summary": "what it does",
    "alias": "another name of the command",
}
"""the descriptions of fields that neither the schema nor the event's class describes"""


def events_part() -> str:
    """Return the generated part. Raises KeyError for a field without a description, or an event without an example."""
    parts = json.loads(SCHEMA.read_text(encoding="utf-8"))["$defs"]
    examples, notes = json.loads(EXAMPLES.read_text(encoding="utf-8")), _attribute_notes()
    sections = []
    for name, part in parts.items():
        is_record = name in RECORDS
        title = f"### {name}" if is_record else f"### `{name}`"
        described = part.get("description", "")
        lines = [title, "", described, ""] if described else [title, ""]
        lines += ["| field | type | meaning |", "|---|---|---|", *_rows(name, part, notes)]
        if not is_record:
            lines += ["", "```json", json.dumps(examples[name], ensure_ascii=False), "```"]
        sections.append("\n".join(lines))
    verdicts = ", ".join(f"`{word}`" for word in VERDICTS)
    return "\n\n".join([*sections, f"### Verdicts\n\n{verdicts}"])


def _rows(name: str, part: dict[str, Any], notes: dict[str, str]) -> list[str]:
    rows = []
    for field, kind in part["properties"].items():
        if field in HEAD_FIELDS and name not in RECORDS:
            continue
        meaning = kind.get("description") or notes.get(f"{name}.{field}") or DESCRIPTIONS[field]
        optional = "" if field in part["required"] else "; optional"
        rows.append(f"| `{field}` | {_type(field, kind)}{optional} | {meaning} |")
    return rows


def _type(field: str, kind: dict[str, Any]) -> str:
    if "$ref" in kind:
        return _link(kind["$ref"])
    if kind.get("type") == "array":
        return f"array of {_type(field, kind['items'])}"
    if "enum" in kind and field not in {"verdict", "exit"}:
        return ", ".join(f"`{value}`" for value in kind["enum"])
    return str(kind.get("type", "value"))


def _link(reference: str) -> str:
    name = reference.rpartition("/")[2]
    return f"[{name}](#{name.lower()})"


def _attribute_notes() -> dict[str, str]:
    """Return the docstring of each attribute in events.py, by event or class and field."""
    from homelab_hooks import events
    from homelab_hooks.views.ndjson import EVENT_NAMES

    names = {kind.__name__: name for kind, name in EVENT_NAMES.items()}
    tree = ast.parse(Path(events.__file__).read_text(encoding="utf-8"))
    return {
        f"{names.get(node.name, node.name)}.{field.target.id}": " ".join(str(note.value.value).split())
        for node in tree.body
        if isinstance(node, ast.ClassDef)
        for field, note in zip(node.body, node.body[1:], strict=False)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        and isinstance(note, ast.Expr) and isinstance(note.value, ast.Constant)
    }  # fmt: skip
