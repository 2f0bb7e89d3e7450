"""The door as a session of requests', for a library that asks through one."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Protocol

from homelab_hooks.reply import Call, NoReply, Reply

if TYPE_CHECKING:
    import requests

LIMIT = 2 * 1024 * 1024
"""bytes of one body; Vault keeps at most 1 MiB under one path"""
_OURS = "x-vault-"


class Door(Protocol):
    """The one server that can be asked."""

    def exchange(self, call: Call, *, deadline: float, limit: int) -> Reply | NoReply:
        """One request and its answer."""

    def close(self) -> None:
        """Close its connections."""


def vault_session(door: Door) -> requests.Session:
    """A session for hvac: whatever URL it is given, the path is asked of the door's server, and no other host.

    Of an answer it hands on status and body, never a Location. What went wrong raises OSError with the NoReply.
    """
    import requests
    from requests.adapters import BaseAdapter

    class Adapter(BaseAdapter):
        def send(self, request: requests.PreparedRequest, *_: Any, **given: Any) -> requests.Response:
            headers = {name: str(value) for name, value in request.headers.items() if name.lower().startswith(_OURS)}
            call = Call(str(request.method), request.path_url, headers=headers)
            found = door.exchange(call, deadline=given["timeout"], limit=LIMIT)
            if isinstance(found, NoReply):
                raise requests.ConnectionError(found)
            response = requests.Response()
            response.status_code, response.request, response.url = found.status, request, str(request.url)
            response.raw, response.encoding = io.BytesIO(found.body), "utf-8"
            return response

        def close(self) -> None:
            door.close()

    session = requests.Session()
    session.trust_env = False
    session.adapters.clear()
    session.mount("http", Adapter())
    return session
