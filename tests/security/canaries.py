"""Secrets made to be recognized: where each is put, and every place that is searched for it afterwards."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote


@dataclass(frozen=True)
class Canary:
    """A secret: `core` survives every way of writing it down but base64, the rest is what escaping changes."""

    core: str
    value: str

    @property
    def marks(self) -> tuple[bytes, ...]:
        """What gives it away."""
        encoded = [base64.b64encode(f"{'x' * shift}{self.value}".encode())[4:-4] for shift in range(3)]
        return (self.core.encode(), *encoded)

    @property
    def in_url(self) -> str:
        """As it stands in a URL."""
        return quote(self.value, safe="")


CI = Canary("ciCanary7Qx", "c'i\"%2f\\$&<ciCanary7Qx>=")
VAULT = Canary("vaultCanary8Rw", "hvs.\"'%41\\vaultCanary8Rw")
URL = Canary("urlCanary9Tv", "p@ss/\"'%$&urlCanary9Tv")
HELPER = Canary("helperCanary5Lk", "h'%\"\\helperCanary5Lk")
KUBE = Canary("kubeCanary3Jh", "k'%\"\\kubeCanary3Jh")
FORGE = Canary("forgeCanary2Bn", "f'%\"\\forgeCanary2Bn")
HOOK = Canary("hookCanary4Zz", "k'%\"\\hookCanary4Zz")
LIVE = Canary("liveCanary6Dm", "v'%\"\\liveCanary6Dm")
REGISTRY = Canary("registryCanary1Ps", "r'%\"\\registryCanary1Ps")
NOTIFY = Canary("notifyCanary0Wy", "n-notifyCanary0Wy")
ALL = (CI, VAULT, URL, HELPER, KUBE, FORGE, HOOK, LIVE, REGISTRY, NOTIFY)


def found_in(text: bytes) -> list[str]:
    """The canaries that a text gives away."""
    return [canary.core for canary in ALL if any(mark in text for mark in canary.marks)]


def files_with(folder: Path, *, beside: tuple[Path, ...] = ()) -> set[tuple[str, str]]:
    """Each file below a folder that gives a canary away, with the canary; names count too."""
    return set(_files(folder, beside))


def _files(folder: Path, beside: tuple[Path, ...]) -> Iterator[tuple[str, str]]:
    for path in folder.rglob("*"):
        if any(path.is_relative_to(other) for other in beside):
            continue
        text = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
        for core in found_in(text + b"\0" + str(path).encode("utf-8", "surrogateescape")):
            yield str(path.relative_to(folder)), core


def variables_with(environ: Mapping[str, bytes]) -> set[tuple[str, str]]:
    """Each variable that gives a canary away, with the canary."""
    return {(name, core) for name, value in environ.items() for core in found_in(value)}
