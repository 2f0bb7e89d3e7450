"""A simulated Kubernetes API server with what kubectl uses: discovery, get, list, watch, and logs."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from homelab_hooks.simulators.http_server import HttpServer, SilentHandler
from homelab_hooks.simulators.kubernetes.discovery import (
    AGGREGATED_TYPE,
    DISCOVERY,
    find_groups,
    make_aggregated_discovery,
)
from homelab_hooks.simulators.kubernetes.faults import (
    DenyObjects,
    FailTimes,
    FailWatches,
    NeverAnswer,
    RespondWith,
    ServerFault,
)
from homelab_hooks.simulators.kubernetes.timeline import (
    PLURALS,
    ClusterTimeline,
    group_of,
    group_version,
    select_objects,
)
from homelab_hooks.text.json_fields import Json

__all__ = ["DenyObjects", "FailTimes", "FailWatches", "KubernetesSimulator", "NeverAnswer", "RespondWith"]

_WATCH_INTERVAL_S = 0.1


class KubernetesSimulator:
    """Serves a timeline of objects on a port of 127.0.0.1; a context manager.

    Args:
        timeline: returns the objects by the seconds since the server started.
        now: returns the time in seconds.

    Attributes:
        fault: the current fault mode; None: no faults.
        requests: path and query of all requests.
        log: the log of every container.
        with_custom: whether the kinds of Flux and Argo are installed.
    """

    def __init__(self, timeline: ClusterTimeline, *, now: Callable[[], float]) -> None:
        self._timeline = timeline
        self._now = now
        self._began = 0.0
        self.fault: ServerFault = None
        self.requests: list[str] = []
        self.log = ""
        self.with_custom = True
        self.closing = threading.Event()
        self._server: HttpServer | None = None

    def __enter__(self) -> Self:
        handler = type("Handler", (_ApiHandler,), {"cluster": self})
        self._began = self._now()
        self._server = HttpServer(handler)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.005}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop: accept no more connections, and end the watches."""
        self.closing.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    @property
    def url(self) -> str:
        """Return its address. Raises RuntimeError if it is not running."""
        if self._server is None:
            raise RuntimeError("the cluster is not running")
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def objects(self) -> Sequence[Json]:
        """Return the objects at the current time."""
        return self._timeline(self._now() - self._began)

    def kubeconfig(self, path: Path) -> Path:
        """Write a kubeconfig for this server, as JSON, which is valid YAML, and return its path."""
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "demo", "cluster": {"server": self.url}}],
            "users": [{"name": "demo", "user": {}}],
            "contexts": [{"name": "demo", "context": {"cluster": "demo", "user": "demo"}}],
            "current-context": "demo",
        }
        path.write_text(json.dumps(config, indent=1), encoding="utf-8")
        return path


class _ApiHandler(SilentHandler):
    """Handles the requests of kubectl."""

    disable_nagle_algorithm = True
    """as a Go server does; otherwise a second request on a connection takes 40 ms longer"""

    cluster: KubernetesSimulator

    def serve(self) -> None:
        """Respond according to the fault mode."""
        self.cluster.requests.append(self.path)
        url = urlsplit(self.path)
        parts = url.path.strip("/").split("/")
        match self.cluster.fault:
            case NeverAnswer():
                self.cluster.closing.wait()
                self.close_connection = True
            case RespondWith(status, body, content_type):
                self._send(status, body.encode(), content_type)
            case DenyObjects(status, reason, message) if "namespaces" in parts:
                self._status(status, reason, message)
            case FailTimes(statuses) if statuses and "namespaces" in parts:
                self._fail_once(statuses.pop(0))
            case FailWatches(status, text, silent) if "watch=true" in url.query:
                if silent:
                    self.cluster.closing.wait()
                self._send(status, text.encode(), "application/json")
            case _:
                self._answer(url.path, parts, {key: values[0] for key, values in parse_qs(url.query).items()})

    def _fail_once(self, status: int) -> None:
        self.close_connection = True
        if status:
            self._send(status, b"upstream connect error", "text/plain")

    def _answer(self, path: str, parts: list[str], query: dict[str, str]) -> None:
        groups = find_groups(path, with_custom=self.cluster.with_custom)
        if path in DISCOVERY:
            self._json(200, DISCOVERY[path])
        elif groups is not None and AGGREGATED_TYPE in self.headers.get("Accept", ""):
            self._send(200, json.dumps(make_aggregated_discovery(groups)).encode(), AGGREGATED_TYPE)
        elif "namespaces" in parts:
            self._objects(parts[parts.index("namespaces") + 1 :], query)
        else:
            self._status(404, "NotFound", "the server could not find the requested resource")

    def _objects(self, parts: list[str], query: dict[str, str]) -> None:
        if len(parts) == 1:
            self._json(200, {"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": parts[0]}})
            return
        namespace, plural, *name = parts
        if name[1:] == ["log"]:
            self._send(200, self.cluster.log.encode(), "text/plain")
            return
        by_field = query.get("fieldSelector", "").partition("metadata.name=")[2]
        wanted = name[0] if name else by_field

        def find() -> list[Json]:
            found = select_objects(self.cluster.objects(), plural, namespace, query.get("labelSelector", ""))
            return [each for each in found if wanted in {"", each["metadata"]["name"]}]

        found = find()
        if query.get("watch") in {"true", "1"}:
            kind = next(kind for kind, each in PLURALS.items() if each == plural)
            self._watch(find, kind if query.get("sendInitialEvents") == "true" else "")
        elif not name:
            version = _version(found, default=0)
            kind = next(kind for kind, each in PLURALS.items() if each == plural)
            meta = {"resourceVersion": str(version)}
            self._json(
                200, {"kind": f"{kind}List", "apiVersion": group_version(plural), "metadata": meta, "items": found}
            )
        elif found:
            self._json(200, found[0])
        else:
            resource = ".".join(part for part in (plural, group_of(plural)) if part)
            self._status(404, "NotFound", f'{resource} "{wanted}" not found')

    def _watch(self, find: Callable[[], list[Json]], marked: str) -> None:
        """Stream changes until either side disconnects; a bookmark for the kind `marked` ends the initial objects."""
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        known: dict[str, Json] = {}
        while not self.cluster.closing.is_set():
            present = {each["metadata"]["name"]: each for each in find()}
            for name, each in present.items():
                if known.get(name) != each:
                    self._chunk({"type": "MODIFIED" if name in known else "ADDED", "object": each})
            for name in known.keys() - present.keys():
                self._chunk({"type": "DELETED", "object": known[name]})
            known = present
            if marked:
                self._chunk({"type": "BOOKMARK", "object": _bookmark(marked)})
                marked = ""
            self.cluster.closing.wait(_WATCH_INTERVAL_S)
        self.close_connection = True  # as when a server shuts down

    def _chunk(self, event: dict[str, Any]) -> None:
        line = json.dumps(event).encode() + b"\n"
        self.wfile.write(f"{len(line):x}\r\n".encode() + line + b"\r\n")
        self.wfile.flush()

    def _status(self, code: int, reason: str, message: str) -> None:
        status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
        self._json(code, {**status, "message": message, "reason": reason, "code": code})

    def _json(self, status: int, value: Json) -> None:
        self._send(status, json.dumps(value).encode(), "application/json")

    def _send(self, status: int, body: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _bookmark(kind: str) -> Json:
    """Return the object of the bookmark event that marks the end of the initial objects."""
    meta = {"resourceVersion": "1", "annotations": {"k8s.io/initial-events-end": "true"}}
    return {"kind": kind, "apiVersion": group_version(PLURALS[kind]), "metadata": meta}


def _version(objects: Sequence[Json], *, default: int) -> int:
    return max((int(each["metadata"].get("resourceVersion", 0)) for each in objects), default=default)
