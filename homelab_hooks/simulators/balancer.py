"""A load balancer: Caddy, which terminates TLS in front of a simulated server."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Self
from urllib.parse import urlsplit

from homelab_hooks.simulators.programs import ManagedProgram, find_program

READY_MESSAGE = "serving initial configuration"


class CertificateKind(Enum):
    """The certificate that the load balancer presents."""

    RIGHT = "right"
    WRONG_NAME = "wrong-name"
    EXPIRED = "expired"
    NOT_YET_VALID = "not-yet-valid"
    UNKNOWN_CA = "unknown-ca"
    SELF_SIGNED = "self-signed"
    SHORT_LIVED = "short-lived"
    """valid for twelve hours, with six left, as load balancers issue for themselves"""
    NEARLY_EXPIRED = "nearly-expired"
    """valid for twelve hours, with half an hour left"""


_VALIDITY_HOURS: dict[CertificateKind, tuple[float | None, float]] = {
    CertificateKind.EXPIRED: (None, -24.0),
    CertificateKind.NOT_YET_VALID: (24.0, 48.0),
    CertificateKind.SHORT_LIVED: (-6.0, 6.0),
    CertificateKind.NEARLY_EXPIRED: (-11.5, 0.5),
}
"""from when to when a certificate is valid, in hours from now"""


def _issue_self_signed(name: str) -> tuple[bytes, bytes]:
    """Return a certificate that is its own issuer and not a CA, as `openssl req -x509` makes one, and its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=30))
    signed = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False).sign(
        key, hashes.SHA256()
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    return signed.public_bytes(pem), key.private_bytes(pem, serialization.PrivateFormat.TraditionalOpenSSL, plain)


class LoadBalancer:
    """Caddy for `https://NAME` on 127.0.0.1 and `port`; a context manager that stops it and removes its files.

    Args:
        upstream: the URL of the simulated server.
        path: the search path for programs.
        ipv6: also listen on ::1.

    Attributes:
        ca_file: the CA certificate that clients use to verify it.
    """

    def __init__(
        self,
        upstream: str,
        *,
        path: str,
        name: str = "ci.example.test",
        certificate: CertificateKind = CertificateKind.RIGHT,
        ipv6: bool = False,
    ) -> None:
        self._upstream = upstream
        self._path = path
        self._name = name
        self._certificate = certificate
        self._hosts = "127.0.0.1 [::1]" if ipv6 else "127.0.0.1"
        self._caddy = ManagedProgram("balancer", {"PATH": path})
        self.port = 0
        self.ca_file = self._caddy.home / "ca.pem"

    @property
    def url(self) -> str:
        """Return `https://NAME`, without a port: the dial address contains it."""
        return f"https://{self._name}"

    @property
    def dial(self) -> str:
        """Return the address to connect to instead of the name."""
        return f"127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        try:
            caddy = find_program("caddy", self._path)
            self._write_certificates()
            self.port = self._caddy.start(lambda port: self._command(caddy, port), ready_message=READY_MESSAGE)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop it, and remove its files."""
        self._caddy.stop()

    def _write_certificates(self) -> None:
        import trustme

        trusted = trustme.CA()
        trusted.cert_pem.write_to_path(str(self.ca_file))
        kind, home = self._certificate, self._caddy.home
        if kind is CertificateKind.SELF_SIGNED:
            certificate, key = _issue_self_signed(self._name)
            (home / "key.pem").write_bytes(key)
            (home / "cert.pem").write_bytes(certificate)
            return
        issuer = trustme.CA() if kind is CertificateKind.UNKNOWN_CA else trusted
        name = "other.example.test" if kind is CertificateKind.WRONG_NAME else self._name
        since, until = _VALIDITY_HOURS.get(kind, (None, None))
        now = datetime.now(UTC)
        issued = issuer.issue_cert(
            name,
            not_before=None if since is None else now + timedelta(hours=since),
            not_after=None if until is None else now + timedelta(hours=until),
        )
        issued.private_key_pem.write_to_path(str(home / "key.pem"))
        (home / "cert.pem").write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))

    def _command(self, caddy: str, port: int) -> list[str]:
        (self._caddy.home / "Caddyfile").write_text(self._caddyfile(port), encoding="utf-8")
        return [caddy, "run", "--config", "Caddyfile", "--adapter", "caddyfile"]

    def _caddyfile(self, port: int) -> str:
        # fallback_sni: present the certificate although its name does not match, as a default certificate would be
        shown = "other.example.test" if self._certificate is CertificateKind.WRONG_NAME else self._name
        return f"""{{
    admin off
    auto_https off
    persist_config off
    servers {{
        protocols h1 h2
    }}
    default_bind {self._hosts}
    {f"fallback_sni {shown}" if shown != self._name else ""}
}}
https://{self._name}:{port} {{
    tls cert.pem key.pem
    reverse_proxy {urlsplit(self._upstream).netloc} {{
        flush_interval -1
    }}
}}
"""
