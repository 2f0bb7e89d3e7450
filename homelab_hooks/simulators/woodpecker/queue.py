"""The queue of the simulated Woodpecker: pending and running tasks."""

from __future__ import annotations

from typing import Any

from homelab_hooks.simulators.woodpecker.store import PipelineRow, PipelineStore, SimulatedRepo


def make_queue_info(store: PipelineStore, t: float) -> dict[str, Any]:
    """Return the body of `/api/queue/info` at `t` (server seconds).

    `worker_count` counts the slots of the agents (recording 11a-pending-then-agent).
    """
    tasks: dict[str, list[dict[str, Any]]] = {"pending": [], "waiting_on_deps": [], "running": []}
    for repo in store.repositories:
        for row, now in store.rows_at(repo.id, t):
            for i, flow in enumerate(now.workflows):
                if now.status in {"pending", "running"} and flow.state in {"pending", "running"}:
                    tasks[flow.state].append(_task(store, repo, row, (i, flow.name)))
    counts = {f"{name}_count": len(found) for name, found in tasks.items()}
    return {**tasks, "stats": {"worker_count": store.workers, **counts}, "paused": store.paused}


def _task(store: PipelineStore, repo: SimulatedRepo, row: PipelineRow, workflow: tuple[int, str]) -> dict[str, Any]:
    index, name = workflow
    return {
        "id": str(row.first_workflow + index),
        "pid": index + 1,
        "name": name,
        "labels": {"org-id": "5", "repo": repo.full_name},
        "dependencies": None,
        "run_on": None,
        "dep_status": {},
        "agent_id": 0,
        "pipeline_id": row.id,
        "repo_id": repo.id,
        "concurrency_limit": store.concurrency.get(name, 0),
        "concurrency_group": f"{repo.id}-{name}" if name in store.concurrency else "",
        "created": int(store.wall + row.created),
        "pipeline_number": row.number,
        "agent_name": "",
    }
