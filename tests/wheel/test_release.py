"""The release: the same bytes from the same sources, whole, and at work in an environment of its own."""

from __future__ import annotations

import hashlib
import os
import re
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from email.parser import Parser
from importlib import metadata
from pathlib import Path

import pytest

from homelab_hooks import __version__
from homelab_hooks.cli.verbs import COMMANDS
from homelab_hooks.system.process_runner import ProcessRunner
from tests.waiting import HANG_S
from tests.wheel.conftest import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.first]

EPOCH = {"SOURCE_DATE_EPOCH": "1767225600"}
FREE = re.compile(r"MIT|BSD|Apache|ISC|PSF|Python Software Foundation|MPL|Mozilla Public License 2")
"""licenses whose terms every user of this package can meet"""


def built(kind: str, folder: Path, source: Path = ROOT) -> Path:
    argv = [sys.executable, "-m", "hatchling", "build", "--target", kind, "--directory", str(folder)]
    done = ProcessRunner({**os.environ, **EPOCH}).run(argv, cwd=source, timeout=HANG_S)
    assert done.ok, done.err
    return next(folder.glob("*.whl" if kind == "wheel" else "*.tar.gz"))


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_same_sources_make_the_same_wheel_also_by_way_of_the_source_package(tmp_path: Path) -> None:
    first, second = built("wheel", tmp_path / "1"), built("wheel", tmp_path / "2")
    assert digest(first) == digest(second)
    packed = built("sdist", tmp_path / "3")
    assert digest(packed) == digest(built("sdist", tmp_path / "4"))
    with tarfile.open(packed) as archive:
        archive.extractall(tmp_path / "5", filter="data")
    again = built("wheel", tmp_path / "6", next((tmp_path / "5").iterdir()))
    assert digest(again) == digest(first)


def test_the_wheel_has_what_it_needs_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        told = Parser().parsestr(archive.read(next(n for n in names if n.endswith("METADATA"))).decode())
    assert wheel.name == f"homelab_hooks-{__version__}-py3-none-any.whl"
    assert (told["Name"], told["Version"], told["License-Expression"]) == ("homelab-hooks", __version__, "MIT")
    assert told["Requires-Python"] == "<3.15,>=3.11"
    assert told["Description-Content-Type"] == "text/markdown"
    assert told["Summary"]
    for hook in ("pre-push", "post-push", "reference-transaction"):
        assert f"homelab_hooks/hooks/install/shims/{hook}" in names
    assert "homelab_hooks/py.typed" in names
    assert "homelab_hooks/schema/events.json" in names
    strange = [name for name in names if not name.startswith(("homelab_hooks/", f"homelab_hooks-{__version__}."))]
    assert strange == []
    assert [name for name in names if "__pycache__" in name or name.startswith("tests")] == []


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh virtual environment with the wheel and what it asks for, from the package index."""
    folder = tmp_path_factory.mktemp("clean") / "venv"
    known = ProcessRunner({name: value for name, value in os.environ.items() if name != "PYTHONPATH"})
    assert known.run([sys.executable, "-m", "venv", str(folder)], timeout=HANG_S).ok
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    done = known.run([*pip, str(wheel)], timeout=HANG_S)
    assert done.ok, done.err
    return folder


def test_the_wheel_works_in_a_clean_environment(environment: Path, seal: dict[str, str], tmp_path: Path) -> None:
    known = ProcessRunner({**seal, "PATH": f"{environment / 'bin'}:{seal['PATH']}"})
    for name in ("homelab", "homelab-watch", "git-land"):
        done = known.run([str(environment / "bin" / name), "--version"], cwd=tmp_path, timeout=HANG_S)
        assert done.out.split()[-1] == __version__, done.err
    for verb in COMMANDS:
        done = known.run([str(environment / "bin" / "homelab"), *verb.words, "-h"], cwd=tmp_path, timeout=HANG_S)
        assert done.ok, (verb.words, done.err)
    done = known.run([str(environment / "bin" / "homelab"), "doctor"], cwd=tmp_path, timeout=HANG_S)
    assert (done.code, "Traceback" in done.err) == (20, False), done.err


def test_the_demo_without_its_parts_says_what_to_install(
    environment: Path, seal: dict[str, str], tmp_path: Path
) -> None:
    done = ProcessRunner({**seal, "PATH": "/usr/bin:/bin"}).run(
        [str(environment / "bin" / "homelab"), "demo"], cwd=tmp_path, timeout=HANG_S
    )
    assert done.code == 2, done.err
    assert "pip install" in done.err


def required(name: str, seen: set[str]) -> Iterator[str]:
    """A distribution and all that it needs at run time."""
    if name in seen:
        return
    seen.add(name)
    yield name
    for line in metadata.requires(name) or ():
        if ";" not in line:
            yield from required(re.split(r"[ <>=!~\[(;]", line, maxsplit=1)[0].lower().replace("_", "-"), seen)


def test_every_dependency_has_a_license_that_can_be_kept() -> None:
    found = {}
    for name in required("homelab-hooks", set()):
        about = metadata.metadata(name).json
        said = [about.get("license_expression", ""), str(about.get("license", ""))[:60], *about.get("classifier", ())]
        found[name] = " ".join(text for text in said if "::" not in text or text.startswith("License ::"))
    assert len(found) > 10
    assert {name: terms for name, terms in found.items() if not FREE.search(terms)} == {}
