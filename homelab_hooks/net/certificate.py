"""Reads a server's certificate, and finds the cause if it does not verify: each cause has its own fix."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import ssl


class CertificateFault(Enum):
    """Why a certificate does not verify."""

    EXPIRED = auto()
    NOT_YET_VALID = auto()
    WRONG_NAME = auto()
    """it is for another name or address"""
    SELF_SIGNED = auto()
    """the server's own certificate is its issuer"""
    UNKNOWN_CA = auto()
    """no known CA issued it, or an intermediate certificate is missing"""
    REVOKED = auto()
    OTHER = auto()
    """weak, malformed, or for another purpose"""


_FAULTS = {
    2: CertificateFault.UNKNOWN_CA,
    9: CertificateFault.NOT_YET_VALID,
    10: CertificateFault.EXPIRED,
    18: CertificateFault.SELF_SIGNED,
    19: CertificateFault.UNKNOWN_CA,
    20: CertificateFault.UNKNOWN_CA,
    21: CertificateFault.UNKNOWN_CA,
    23: CertificateFault.REVOKED,
    62: CertificateFault.WRONG_NAME,
    63: CertificateFault.WRONG_NAME,
    64: CertificateFault.WRONG_NAME,
}
"""by OpenSSL's X509_V_ERR_ codes (x509_vfy.h)"""


def find_certificate_fault(error: ssl.SSLCertVerificationError) -> CertificateFault:
    """Return why a certificate does not verify."""
    return _FAULTS.get(error.verify_code, CertificateFault.OTHER)


class Certificate(NamedTuple):
    """A server's certificate: from when to when it is valid, in unix seconds, and who issued it."""

    begins: float
    expires: float
    issuer: str
    """organization, otherwise name"""

    def is_due(self, now: float) -> bool:
        """Return whether a renewal is due: the last tenth of its lifetime has begun.

        A load balancer's own CA issues for hours and renews when a third is left; a public CA issues for months.
        """
        return self.expires - now < (self.expires - self.begins) / 10
