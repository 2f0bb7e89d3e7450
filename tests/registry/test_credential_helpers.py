"""Real credential helpers and files: bounded in time and output, without our tokens, and reported when they fail."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from homelab_hooks.registry.credentials import DockerCredentials, list_config_files, run_credential_helper
from homelab_hooks.registry.docker_config import CredentialHelper, LoginProblem, RegistryLogin
from homelab_hooks.registry.reference import parse_image_reference
from homelab_hooks.system.process_runner import ProcessRunner

HOST = "registry.example.test"
APP = parse_image_reference(f"{HOST}/acme/app")
HELPER = CredentialHelper("fake", "~/.docker/config.json")
LATE_S = 0.3
"""after which a helper that never ends by itself is ended"""
Install = Callable[[str], ProcessRunner]


@pytest.fixture
def install(tmp_path: Path) -> Install:
    """`install(SCRIPT)`: a runner that finds the script as docker-credential-fake; it runs in a folder of its own."""

    def one(script: str) -> ProcessRunner:
        program = tmp_path / "bin" / "docker-credential-fake"
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        program.chmod(0o755)
        return ProcessRunner({"PATH": f"{program.parent}:{os.environ['PATH']}", "OUT": str(tmp_path)})

    return one


def test_a_helper_is_asked_for_the_host_on_its_standard_input(install: Install, tmp_path: Path) -> None:
    script = 'echo "$@" >"$OUT/argv"; cat >"$OUT/stdin"; echo \'{"Username": "ann", "Secret": "canary"}\''
    found = run_credential_helper(HELPER, HOST, install(script))
    assert found == RegistryLogin("ann", "docker-credential-fake", "canary")
    assert (tmp_path / "argv").read_text() == "get\n"
    assert (tmp_path / "stdin").read_text() == f"{HOST}\n"


@pytest.mark.parametrize("script", ["echo credentials not found in native keychain; exit 1", "echo '{}'"])
def test_a_helper_without_credentials_is_no_problem(install: Install, script: str) -> None:
    assert run_credential_helper(HELPER, HOST, install(script)) is None


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo the keychain is locked >&2; exit 3", "failed with exit code 3: the keychain is locked"),
        ('echo \'{"Secret": "canary"}\'; exit 1', "failed with exit code 1"),
        ("printf 'canary'", "printed something other than credentials"),
        ("yes canary", "printed more than 65536 bytes"),
        ("kill -9 $$", "failed with exit code -9"),
    ],
)
def test_a_helper_that_fails_is_named_without_its_secret(install: Install, script: str, words: str) -> None:
    found = run_credential_helper(HELPER, HOST, install(script))
    assert isinstance(found, LoginProblem)
    assert found.reason == f"docker-credential-fake {words}"


@pytest.mark.slow  # a real process that is ended after a while
def test_a_helper_that_waits_for_a_browser_is_ended(install: Install) -> None:
    found = run_credential_helper(HELPER, HOST, install("sleep 600"), timeout=LATE_S)
    assert found == LoginProblem(f"docker-credential-fake did not answer within {LATE_S:g} s")


def test_a_helper_that_is_not_installed_is_named() -> None:
    found = run_credential_helper(HELPER, HOST, ProcessRunner({"PATH": "/nonexistent"}))
    assert isinstance(found, LoginProblem)
    assert found.reason == "docker-credential-fake, which ~/.docker/config.json names, is not installed"


def write_config(folder: Path, config: object) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")


def credentials(processes: ProcessRunner, **environ: str) -> DockerCredentials:
    return DockerCredentials(list_config_files(environ), processes)


def test_a_helper_is_run_once_for_each_registry(install: Install, tmp_path: Path) -> None:
    processes = install('cat >>"$OUT/stdin"; exit 1')
    write_config(tmp_path / ".docker", {"credsStore": "fake"})
    found = credentials(processes, HOME=str(tmp_path))
    for image in (APP, APP, parse_image_reference("acme/app"), parse_image_reference("app")):
        assert isinstance(found.find_login(image), LoginProblem)
    assert (tmp_path / "stdin").read_text() == f"{HOST}\nhttps://index.docker.io/v1/\n"


def test_a_configuration_that_is_named_replaces_that_of_the_home_directory(tmp_path: Path) -> None:
    write_config(tmp_path / ".docker", {"auths": {HOST: {"username": "home", "password": "x"}}})
    write_config(tmp_path / "named", {"auths": {HOST: {"username": "named", "password": "x"}}})
    processes = ProcessRunner({})
    found = credentials(processes, HOME=str(tmp_path), DOCKER_CONFIG=str(tmp_path / "named")).find_login(APP)
    assert isinstance(found, RegistryLogin)
    assert (found.user, found.source) == ("named", "$DOCKER_CONFIG/config.json")


def test_a_broken_configuration_does_not_hide_that_of_podman(tmp_path: Path) -> None:
    write_config(tmp_path / ".docker", [])
    folder = tmp_path / ".config" / "containers"
    folder.mkdir(parents=True)
    (folder / "auth.json").write_text(json.dumps({"auths": {HOST: {"auth": "YW5uOng="}}}), encoding="utf-8")
    found = credentials(ProcessRunner({}), HOME=str(tmp_path)).find_login(APP)
    assert found == RegistryLogin("ann", "~/.config/containers/auth.json", "x")


@pytest.mark.parametrize("environ", [{}, {"HOME": "/nonexistent"}, {"DOCKER_CONFIG": "/dev/null"}])
def test_no_configuration_is_no_problem(environ: dict[str, str]) -> None:
    assert credentials(ProcessRunner({}), **environ).find_login(APP) is None


def test_a_configuration_that_is_no_file_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / ".docker").mkdir()
    os.mkfifo(tmp_path / ".docker" / "config.json")
    found = credentials(ProcessRunner({}), HOME=str(tmp_path)).find_login(APP)
    assert found == LoginProblem("~/.docker/config.json cannot be read: not a regular file")
