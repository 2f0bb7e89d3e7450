"""Encodes the objects of the simulated Woodpecker as the JSON of versions 3 and 2.8."""

from __future__ import annotations

import base64
import json
from typing import Any

from homelab_hooks.simulators.woodpecker.script import (
    PipelineSnapshot,
    ScriptedError,
    ScriptedStep,
    ScriptedWorkflow,
    collect_log,
)
from homelab_hooks.simulators.woodpecker.store import (
    Permission,
    PipelineRow,
    PipelineStore,
    SimulatedRepo,
    SimulatedUser,
)

GIT_URL = "https://git.example.test"

_RENAMED = {
    "created": "created_at",
    "updated": "updated_at",
    "started": "started_at",
    "finished": "finished_at",
    "reviewed": "reviewed_at",
}
_RENAMED_CHILD = {"started": "start_time", "finished": "end_time"}
_ADDED_IN_3 = frozenset({"event_reason", "version", "rerun_count", "cancel_info", "tag_title", "release", "cron"})
"""fields that 2.8 does not have"""


def encode_json(value: Any) -> bytes:
    """Return JSON as Go encodes it: without whitespace."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def encode_user(member: SimulatedUser) -> dict[str, Any]:
    """Return the body of `/api/user`."""
    return {
        "id": member.id,
        "forge_id": 1,
        "forge_remote_id": str(member.id),
        "login": member.login,
        "email": f"{member.login}@example.test",
        "avatar_url": f"{GIT_URL}/avatars/{member.id}",
        **({"admin": True} if member.admin else {}),
        "org_id": member.id,
    }


def encode_permissions(permission: Permission, wall: float) -> dict[str, Any]:
    """Return the body of `/api/repos/{id}/permissions`; `wall` in Unix seconds."""
    rights = {
        "pull": permission >= Permission.PULL,
        "push": permission >= Permission.PUSH,
        "admin": permission >= Permission.ADMIN,
    }
    return {**rights, "synced": int(wall), "created": int(wall), "updated": int(wall)}


def encode_repository(repo: SimulatedRepo, *, version: str = "3.17.0") -> dict[str, Any]:
    """Return a repository as in `/api/repos/{id}`."""
    owner, _, name = repo.full_name.rpartition("/")
    new = not version.startswith("2.")
    return {
        "id": repo.id,
        "forge_id": 1,
        "forge_remote_id": str(repo.remote_id),
        "org_id": 5,
        "owner": owner,
        "name": name,
        "full_name": repo.full_name,
        "avatar_url": f"{GIT_URL}/avatars/90",
        "forge_url": f"{GIT_URL}/{repo.full_name}",
        "clone_url": f"{GIT_URL}/{repo.full_name}.git",
        "clone_url_ssh": f"git@git.example.test:{repo.full_name}.git",
        "default_branch": repo.default_branch,
        "pr_enabled": True,
        "timeout": 60,
        "visibility": repo.visibility,
        "private": repo.visibility == "private",
        "trusted": {"network": False, "volumes": False, "security": False} if new else False,
        "require_approval": "forks",
        "approval_allowed_users": None,
        "active": repo.active,
        "allow_pr": True,
        "allow_deploy": False,
        "config_file": repo.config_file,
        "cancel_previous_pipeline_events": sorted(repo.cancel_previous, reverse=True),
        "netrc_trusted": None,
        **(_EXTENSIONS if new else {}),
    }


_EXTENSIONS = {
    "config_extension_endpoint": "",
    "config_extension_exclusive": False,
    "config_extension_netrc": False,
    "registry_extension_endpoint": "",
    "registry_extension_netrc": False,
    "secret_extension_endpoint": "",
    "secret_extension_netrc": False,
}


def encode_pipeline(store: PipelineStore, row: PipelineRow, now: PipelineSnapshot, *, detail: bool) -> dict[str, Any]:
    """Return a pipeline; `detail`: with its workflows."""
    full = {
        **_encode_head(row, now),
        **_encode_times(store, row, now),
        "deploy_to": "",
        "deploy_task": "",
        "commit": row.commit,
        "branch": row.branch,
        "rerun_count": row.rerun_count,
        "ref": row.ref,
        "refspec": row.refspec,
        "author_avatar": f"{GIT_URL}/avatars/1" if row.author else "",
        "forge_url": f"{GIT_URL}/{_name(store, row)}/commit/{row.commit}",
        "reviewed_by": now.reviewed_by,
        "reviewed": _unix(store, row, now.reviewed),
        **({"cancel_info": dict(now.cancel_info)} if now.cancel_info else {}),
        **({"workflows": encode_workflows(store, row, now)} if detail and now.workflows else {}),
        **({"changed_files": ["README.md"]} if row.event in {"push", "pull_request"} else {}),
        "version": store.version,
        "title": "",
        "message": row.message,
        "timestamp": int(store.wall + row.created),
        "sender": row.author,
        "author_email": f"{row.author}@example.test" if row.author else "",
        **row.extra,
    }
    return _as_of_2(full) if store.version.startswith("2.") else full


def _encode_head(row: PipelineRow, now: PipelineSnapshot) -> dict[str, Any]:
    return {
        "id": row.id,
        "number": row.number,
        "author": row.author,
        "parent": row.parent,
        "event": row.event,
        "event_reason": None,
        "status": now.status,
        "errors": [_encode_error(error) for error in now.errors] or None,
    }


def _encode_times(store: PipelineStore, row: PipelineRow, now: PipelineSnapshot) -> dict[str, int]:
    return {
        "created": int(store.wall + row.created),
        "updated": _unix(store, row, now.updated),
        "started": _unix(store, row, now.started),
        "finished": _unix(store, row, now.finished),
    }


def _name(store: PipelineStore, row: PipelineRow) -> str:
    return next((repo.full_name for repo in store.repositories if repo.id == row.repo_id), "")


def _unix(store: PipelineStore, row: PipelineRow, t: float | None) -> int:
    return 0 if t is None else int(store.wall + row.created + t)


def _encode_error(error: ScriptedError) -> dict[str, Any]:
    data = None if error.data is None else dict(error.data)
    return {"type": error.type, "message": error.message, "is_warning": error.warning, "data": data}


def encode_workflows(store: PipelineStore, row: PipelineRow, now: PipelineSnapshot) -> list[dict[str, Any]]:
    """Return the workflows with their steps.

    The pids of steps start after those of workflows (recording 13-workflow-kinds).
    """
    found, before = [], 0
    for i, flow in enumerate(now.workflows):
        first = (row.first_step + before, len(now.workflows) + before + 1)
        found.append(_encode_workflow(store, row, now, i, first))
        before += len(flow.steps)
    return found


def _encode_workflow(
    store: PipelineStore, row: PipelineRow, now: PipelineSnapshot, index: int, first: tuple[int, int]
) -> dict[str, Any]:
    flow: ScriptedWorkflow = now.workflows[index]
    ran = flow.state not in {"pending", "blocked", "skipped", "declined"}
    children = []
    for j, step in enumerate(flow.steps):
        ids = {"id": first[0] + j, "pid": first[1] + j, "ppid": index + 1, "pipeline_id": row.id}
        children.append(
            {**_encode_step(step, ids), **_encode_child_times(store, row, now, (index, j)), "type": step.type}
        )
    return {
        "id": row.first_workflow + index,
        "pipeline_id": row.id,
        "pid": index + 1,
        "name": flow.name,
        "state": flow.state,
        **({"error": flow.error} if flow.error else {}),
        **_encode_child_times(store, row, now, (index, -1)),
        **({"agent_id": 1} if ran else {}),
        **({"environ": dict(flow.environ)} if flow.environ else {}),
        "children": children,
    }


def _encode_step(step: ScriptedStep, ids: dict[str, int]) -> dict[str, Any]:
    return {
        "id": ids["id"],
        "uuid": f"01M851P5{ids['id']:018d}",
        "pipeline_id": ids["pipeline_id"],
        "pid": ids["pid"],
        "ppid": ids["ppid"],
        "name": step.name,
        "state": step.state,
        **({"error": step.error} if step.error else {}),
        "exit_code": step.exit_code,
    }


def _encode_child_times(
    store: PipelineStore, row: PipelineRow, now: PipelineSnapshot, key: tuple[int, int]
) -> dict[str, int]:
    started, finished = now.times.get(key, (None, None))
    both = {"started": _unix(store, row, started), "finished": _unix(store, row, finished)}
    return {name: value for name, value in both.items() if value}


def _as_of_2(full: dict[str, Any]) -> dict[str, Any]:
    old = {_RENAMED.get(key, key): value for key, value in full.items() if key not in _ADDED_IN_3}
    old["status"] = "killed" if old["status"] == "canceled" else old["status"]
    if "workflows" in old:
        old["workflows"] = [_child_as_of_2(flow) for flow in old["workflows"]]
    return old


def _child_as_of_2(child: dict[str, Any]) -> dict[str, Any]:
    old = {_RENAMED_CHILD.get(key, key): value for key, value in child.items()}
    old["state"] = "skipped" if old["state"] == "canceled" else old["state"]
    if "children" in old:
        old["children"] = [_child_as_of_2(step) for step in old["children"]]
    return old


def encode_log_entries(row: PipelineRow, now: PipelineSnapshot, t: float, step_id: int) -> list[dict[str, Any]] | None:
    """Return the log entries of a step; None (JSON null) if there are none yet."""
    names = [(flow.name, step.name) for flow in now.workflows for step in flow.steps]
    flow, step = names[step_id - row.first_step]
    lines = collect_log(row.timeline, t - row.created, flow, step)
    return [_encode_log_entry(step_id, number, line) for number, line in enumerate(lines)] or None


def _encode_log_entry(step_id: int, number: int, line: bytes | None) -> dict[str, Any]:
    data = base64.b64encode(line).decode() if line else None  # an empty line is null (recording 02-success)
    return {"id": step_id * 1000 + number, "step_id": step_id, "time": 0, "line": number, "data": data, "type": 0}
