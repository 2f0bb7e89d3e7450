"""Finds the fix for a CI certificate that does not verify, by its cause."""

from __future__ import annotations

from homelab_hooks.net.certificate import CertificateFault

_CHECK_ADDRESS = "check --server and --dial (homelab.ciServer, homelab.ciDial)"
_SET_CA = "set the CA with --ca-file (homelab.ciCaFile)"

_REMEDIES = {
    CertificateFault.EXPIRED: "renew the server's certificate; if it is valid, check this machine's clock",
    CertificateFault.NOT_YET_VALID: "check this machine's clock; if it is right, issue the certificate again",
    CertificateFault.WRONG_NAME: f"{_CHECK_ADDRESS}, or issue a certificate for this name",
    CertificateFault.SELF_SIGNED: f"set this certificate with --ca-file (homelab.ciCaFile), or {_CHECK_ADDRESS}",
    CertificateFault.UNKNOWN_CA: f"{_SET_CA}, or configure the server to send its intermediate certificates",
    CertificateFault.REVOKED: "issue a new certificate for the server",
    CertificateFault.OTHER: "issue another certificate for the server",
}


def get_certificate_remedy(fault: CertificateFault) -> str:
    """Return what to do about a certificate that does not verify."""
    return _REMEDIES[fault]
