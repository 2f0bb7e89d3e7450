"""Every setting that can be wrong has a finding with its remedy, and the exit code that a landing would have."""

from __future__ import annotations

import re
import shutil
import socket
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from homelab_hooks.simulators.balancer import CertificateKind, LoadBalancer
from homelab_hooks.simulators.faults import (
    BOT_CHECK,
    FORGE_NOT_FOUND,
    LOGIN_REQUIRED,
    BodyFault,
    FaultPoint,
    FaultRule,
    Hang,
    NotHttp,
    StatusFault,
)
from homelab_hooks.simulators.kubernetes.server import DenyObjects
from homelab_hooks.simulators.programs import find_free_port
from homelab_hooks.simulators.woodpecker.store import SimulatedRepo
from tests.cli.doctor.conftest import DoctorSandbox
from tests.cli.shell import CommandResult
from tests.support.listener import Listener

pytestmark = pytest.mark.slow

TARGET = "shop/web"


@dataclass(frozen=True)
class Case:
    """One thing that is wrong: how it is broken, and what has to be said."""

    name: str
    spoil: Callable[[DoctorSandbox], object]
    code: int
    says: str
    remedy: str = "."


def _set(key: str, *values: str) -> Callable[[DoctorSandbox], object]:
    return lambda sandbox: sandbox.set(key, *values)


def _env(**environ: str) -> Callable[[DoctorSandbox], object]:
    return lambda sandbox: sandbox.shell.more.update(environ)


def _without(*names: str) -> Callable[[DoctorSandbox], object]:
    return lambda sandbox: [sandbox.shell.more.pop(name) for name in names]


def _answers(path: str, fault: StatusFault | BodyFault | Hang | NotHttp) -> Callable[[DoctorSandbox], object]:
    return lambda sandbox: sandbox.woodpecker.fail(FaultRule(fault=fault, path=path))


def _write(name: str, text: str) -> Callable[[DoctorSandbox], object]:
    """Tracked and committed, so that nothing but its content is wrong."""
    return lambda sandbox: sandbox.clone.commit(name, text)


def _closed_port(sandbox: DoctorSandbox) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    sandbox.shell.more["WOODPECKER_SERVER"] = f"http://127.0.0.1:{port}"


def _inactive(sandbox: DoctorSandbox) -> None:
    sandbox.woodpecker.store.repositories = [SimulatedRepo(id=8, full_name="acme/app", active=False)]


def _merging(sandbox: DoctorSandbox) -> None:
    sandbox.clone.git("checkout", "--quiet", "-b", "other", "HEAD~1")
    sandbox.clone.commit("a", "theirs\n")
    sandbox.clone.git("checkout", "--quiet", "topic")
    with pytest.raises(RuntimeError, match="CONFLICT"):
        sandbox.clone.git("merge", "other")


def _without_user(sandbox: DoctorSandbox) -> None:
    config = sandbox.workshop.folder.parent / "home" / ".gitconfig"
    config.write_text(config.read_text().replace("[user]", "[user]\nuseConfigOnly = true\n[gone]"))


def _forbidden(sandbox: DoctorSandbox) -> None:
    sandbox.set("homelab.deploy", TARGET)
    sandbox.cluster.fault = DenyObjects()


def _deploy(sandbox: DoctorSandbox, **more: str) -> None:
    sandbox.set("homelab.deploy", TARGET)
    sandbox.shell.more.update(more)


def _not_installed(sandbox: DoctorSandbox) -> None:
    sandbox.cluster.with_custom = False
    sandbox.set("homelab.deploy", "shop/ks/web")


def _no_kubectl(sandbox: DoctorSandbox) -> None:
    """Git is all that there is."""
    folder = sandbox.workshop.folder / "bare"
    folder.mkdir()
    (folder / "git").symlink_to(shutil.which("git") or "")
    _deploy(sandbox, PATH=str(folder))


def _old_git(sandbox: DoctorSandbox) -> None:
    real = sandbox.shell.environ["PATH"]
    sandbox.program("git", f'[ "$1" = version ] && echo "git version 2.20.1" && exit\nPATH="{real}" exec git "$@"')


def _skewed(sandbox: DoctorSandbox) -> None:
    sandbox.woodpecker.store.wall += 3600


def _vault_only(sandbox: DoctorSandbox) -> None:
    del sandbox.shell.more["WOODPECKER_TOKEN"]
    sandbox.set("homelab.vaultAddr", "http://127.0.0.1:9")


def _mute(sandbox: DoctorSandbox) -> None:
    sandbox.clone.git("remote", "set-head", "origin", "--delete")
    sandbox.clone.git("remote", "set-url", "origin", "/nosuch.git")


def _tls_alert(sandbox: DoctorSandbox) -> None:
    """A server that answers the first message of TLS with the alert `protocol_version` (RFC 8446, 6)."""

    def answer(near: socket.socket) -> None:
        with near:
            near.recv(4096)
            near.sendall(b"\x15\x03\x01\x00\x02\x02\x46")

    sandbox.shell.more["WOODPECKER_SERVER"] = f"https://127.0.0.1:{Listener(answer).port}"


def _local_dial(sandbox: DoctorSandbox) -> None:
    """An address that is set for one repository only: with --global, another one would have no effect."""
    sandbox.shell.more["WOODPECKER_SERVER"] = f"https://ci.example.test:{find_free_port()}"
    sandbox.set("homelab.ciDial", "127.0.0.1")


def _mirror(sandbox: DoctorSandbox, url: str) -> None:
    sandbox.clone.git("remote", "add", "github", url)
    sandbox.set("homelab.follow", "ci", "mirror:github")


def _lagging_mirror(sandbox: DoctorSandbox) -> None:
    """The mirror has the first commit of main, and origin one more."""
    mirror = sandbox.workshop.folder / "mirror.git"
    sandbox.clone.git("clone", "--quiet", "--bare", sandbox.clone.git("remote", "get-url", "origin"), str(mirror))
    sandbox.clone.git("push", "--quiet", "origin", "HEAD:main")
    sandbox.clone.commit("b")
    _mirror(sandbox, str(mirror))


def _main(sandbox: DoctorSandbox) -> None:
    sandbox.clone.git("checkout", "--quiet", "main")


ROWS = (
    Case("a duration that is none",
        _set("homelab.timeout", "soon"), 2, r"x  settings .*'soon' for homelab.timeout .git conf"),
    Case("a dial that is not an address",
        _env(HOMELAB_CI_DIAL="ci.internal"), 2, "for HOMELAB_CI_DIAL ", "an IP address"),
    Case("a server that is not a URL",
        _env(WOODPECKER_SERVER="ci.example.test"), 2, "for WOODPECKER_SERVER ", "https://"),
    Case("a token over open http",
        _env(WOODPECKER_SERVER="http://ci.example.test"), 2, "unencrypted", "use https://"),
    Case("an output that is none", _env(HOMELAB_OUTPUT="xml"), 2, "'xml' for HOMELAB_OUTPUT", "plain"),
    Case("a workload without namespace", _set("homelab.deploy", "web"), 2, "'web' for homelab.de", "NAMESPACE/NAME"),
    Case("a tracked file that is not TOML",
        _write(".homelab.toml", "verify = \n"), 2, "homelab.toml is malformed", "fix"),
    Case("a tracked file that names a server",
        _write(".homelab.toml", 'server = "x"\n'), 0, "ignoring `server`", "git config homelab.ciServer VALUE"),
    Case("a misspelt setting",
        _set("homelab.ciServr", "x"), 0, "git config homelab.ciservr", "did you mean homelab.ciServer"),
    Case("a list with one wrong element", _set("homelab.deploy", "shop/web", "web"),
        2, r"'web' for element 2 of 2 of homelab.deploy .git config, local", "NAMESPACE/NAME"),
    Case("hooks that are not installed", lambda _: None, 0, "-  hooks .*not installed", "homelab hooks install"),
    Case("a mirror that lags", _lagging_mirror, 0, "!  mirror:github main on github .* 1 commit behind", "push mirror"),
    Case("a mirror that cannot be asked", lambda sandbox: _mirror(sandbox, "/nosuch.git"),
        0, "!  mirror:github github cannot be asked", "git ls-remote github"),
    Case("a mirror that is no remote", _set("homelab.follow", "mirror:github"),
        2, "x  mirror:github .*there is no remote github", "git remote add github URL"),
    Case("an address in the settings of this repository", _local_dial,
        20, "could not connect to .*refused", "another address: git config homelab.ciDial IP"),
    Case("a TLS version that neither supports", _tls_alert, 20, "x  certificate ", "TLS 1.2 or later"),
    Case("a CI that cancels running push pipelines", lambda _: None,
        0, "!  cancelling .*waits if the conf", "git config homelab.whenBusy wait"),
    Case("a landing that pushes although CI cancels", _env(HOMELAB_WHEN_BUSY="push"),
        0, "!  cancelling .*pushes nevertheless", "export HOMELAB_WHEN_BUSY=wait"),
    Case("no server", _without("WOODPECKER_SERVER"), 20, "no CI server is set", "homelab.ciServer https://"),
    Case("a name that DNS does not know",
        _env(WOODPECKER_SERVER="https://ci.invalid"), 20, "could not resolve ", "ciDial IP"),
    Case("a server that is not there", _closed_port, 20, "could not connect to .*refused", "homelab.ciDial"),
    Case("no TLS where TLS is wanted", lambda sandbox: sandbox.shell.more.update(
        WOODPECKER_SERVER=sandbox.woodpecker.url.replace("http:", "https:")),
        20, "x  certificate .*does not use TLS", "homelab.ciServer"),
    Case("a CA file that is not there", lambda sandbox: sandbox.shell.more.update(
        WOODPECKER_SERVER="https://ci.example.test", HOMELAB_CI_DIAL="127.0.0.1", SSL_CERT_FILE="/nosuch.pem"),
        20, "/nosuch.pem from environment SSL_CERT_FILE.*no such file", "a PEM file"),
    Case("a token that is nowhere", _without("WOODPECKER_TOKEN"), 20, "x  token .*no CI token found", "TOKEN"),
    Case("a token that CI refuses",
        _env(WOODPECKER_TOKEN="old-token-1"), 20, "rejected the token from WOODP", "cli-and-api"),
    Case("a token with a line in it", _env(WOODPECKER_TOKEN="a b c d e"), 20, "contains invalid characters", "quote"),
    Case("a repository that CI does not know",
        _env(HOMELAB_CI_REPO="acme/nope"), 20, "acme/nope was not found", "activate the repo"),
    Case("a repository that is not active", _inactive, 3, "acme/app is not active", "/repos/add"),
    Case("a web page instead of CI",
        _answers("/api", BodyFault(content=b"<html>", content_type="text/html")), 20, "a web page"),
    Case("the forge instead of CI", _answers("/", FORGE_NOT_FOUND),
        20, r"x  server .* but not as Woodpecker: 404", "export WOODPECKER_SERVER=URL"),
    Case("a bot check in front of CI", _answers("/", BOT_CHECK),
        20, r'x  server .* but not as Woodpecker: 403 \(Cloudflare, "Just', "proxy's login"),
    Case("a login in front of the API", _answers("/api", LOGIN_REQUIRED),
        20, "x  ci .*401 is not from Woodpecker", "exempt /api"),
    Case("a server that answers 502", _answers("/api", StatusFault(code=502)), 20, "returned 502", "no-ci-watch"),
    Case("a server that hangs", _answers("/", Hang(FaultPoint.BEFORE)), 20, "no (complete )?response within"),
    Case("a proxy that is not there", _env(WOODPECKER_SERVER="https://ci.example.test", HTTPS_PROXY="http://127.0.0.1:9"),
        20, "x  server .*the proxy 127.0.0.1:9: Connection refused", "check the proxy variable"),
    Case("a proxy that cannot be used", _env(WOODPECKER_SERVER="https://ci.example.test", HTTPS_PROXY="socks5://x"),
        20, "x  server .*the proxy in the environment cannot be used", "http://HOST:PORT"),
    Case("a port of another protocol", _answers("/", NotHttp(b"220 mail ESMTP\r\n")),
        20, "x  server .*does not use HTTP on this port", "the port of --server"),
    Case("a clock that is wrong", _skewed, 0, "clock is (1h00m|59m5.s) behind", "timedatectl"),
    Case("a Vault without token", _vault_only,
        20, "there is no Vault token", "vault login"),
    Case("a Vault that is not there", lambda sandbox: sandbox.shell.more.update(
        VAULT_ADDR="http://127.0.0.1:9", VAULT_TOKEN="hvs.nothing"), 0, "!  vault .*no response", "VAULT_ADDR"),
    Case("a git without a user name", _without_user, 20, "no user name or email", "git config --global user.name"),
    Case("an old git", _old_git, 20, "git 2.20.1 is older than", "install git"),
    Case("a detached HEAD",
        lambda sandbox: sandbox.clone.git("checkout", "--quiet", "--detach"), 20, "HEAD is det", "switch -c"),
    Case("the target checked out", _main, 20, "main is the target branch itself", "git switch -c TOPIC"),
    Case("uncommitted changes",
        lambda sandbox: sandbox.clone.write("a", "other"), 20, "would not be landed: a", "git stash"),
    Case("a merge in progress", _merging, 20, "a merge that you started is in progress", "git merge --abort"),
    Case("no verification command",
        _without("HOMELAB_VERIFY"), 20, "x  verification no verification command", "homelab.verify CMD"),
    Case("a remote that is none",
        _env(HOMELAB_REMOTE="upstream"), 2, "there is no remote upstream", "existing remote: origin"),
    Case("no remote",
        lambda sandbox: sandbox.clone.git("remote", "remove", "origin"), 2, "has no remote", "git remote add"),
    Case("a remote that is mute", _mute, 24, "x  remote .*nosuch", "git ls-remote origin"),
    Case("a remote that does not answer", lambda sandbox: sandbox.clone.git(
        "remote", "set-url", "origin", "/nosuch.git"), 24, "x  remote .*nosuch", "git ls-remote origin"),
    Case("a target that does not exist", _env(HOMELAB_TARGET="trunk"), 20, "no branch trunk", "--onto BRANCH"),
    Case("no kubectl", _no_kubectl, 8, "x  kubectl .*kubectl cannot be started", "install kubectl"),
    Case("a context that is none",
        lambda sandbox: _deploy(sandbox, KUBECONFIG="/nosuch"), 4, "x  shop/web", "get-contexts"),
    Case("a workload that is not there",
        _set("homelab.deploy", "shop/nosuch"), 10, '"nosuch" not found', "homelab.deploy"),
    Case("a kind that is not installed",
        _not_installed, 10, "doesn't have a resource type", "install Flux"),
    Case("a cluster that forbids", _forbidden, 4, "is forbidden", "list on pods"),
)  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_what_is_wrong_is_found_with_its_remedy(sandbox: DoctorSandbox, row: Case) -> None:
    row.spoil(sandbox)

    done = sandbox.examine()

    lines = done.err.splitlines()
    places = [place for place, line in enumerate(lines) if re.search(row.says, line)]
    assert places, done.err
    assert any(re.search(f"-> .*{row.remedy}", line) for place in places for line in lines[place : place + 3]), done.err
    reported = [cause.group() for line in lines if (cause := re.search(r"(?<=^x  ).{12}\S*.*", line))]
    assert len(reported) <= 1, "each cause is reported once"
    assert done.code == row.code, done.err
    assert done.result["exit"] == str(row.code)


@pytest.mark.parametrize("cancels", [frozenset({"push"}), frozenset({"pull_request"})], ids=["push", "pull request"])
def test_pipelines_that_no_push_cancels_are_not_reported(sandbox: DoctorSandbox, cancels: frozenset[str]) -> None:
    """With `--when-busy wait`, and on a server that cancels those of pull requests only."""
    sandbox.woodpecker.store.repositories = [SimulatedRepo(id=8, full_name="acme/app", cancel_previous=cancels)]
    if "push" in cancels:
        sandbox.set("homelab.whenBusy", "wait")
    done = sandbox.examine()
    assert (done.code, "cancelling" in done.err) == (0, False), done.err


CERTIFICATES = {
    CertificateKind.EXPIRED: ("expired", "renew the server's certificate"),
    CertificateKind.NOT_YET_VALID: ("not yet valid", "this machine's clock"),
    CertificateKind.WRONG_NAME: ("[Hh]ostname mismatch", "homelab.ciDial"),
    CertificateKind.UNKNOWN_CA: ("unable to get", "homelab.ciCaFile"),
    CertificateKind.SELF_SIGNED: ("self.signed", "homelab.ciCaFile"),
}


def behind(sandbox: DoctorSandbox, certificate: CertificateKind) -> CommandResult:
    """The doctor's findings on CI behind a load balancer with this certificate."""
    path = sandbox.shell.environ["PATH"]
    with LoadBalancer(sandbox.woodpecker.url, path=path, certificate=certificate) as balancer:
        sandbox.shell.more.update(
            WOODPECKER_SERVER=balancer.url, HOMELAB_CI_DIAL=balancer.dial, SSL_CERT_FILE=str(balancer.ca_file)
        )
        return sandbox.examine()


@pytest.mark.parametrize("certificate", CERTIFICATES, ids=lambda one: one.value)
def test_a_certificate_that_does_not_verify_is_found_with_the_remedy_for_its_cause(
    sandbox: DoctorSandbox, certificate: CertificateKind
) -> None:
    done, (says, remedy) = behind(sandbox, certificate), CERTIFICATES[certificate]
    assert re.search(f"x  certificate .*certificate verification failed: .*{says}", done.err), done.err
    assert remedy in done.err
    assert ("homelab.ciCaFile" in done.err) is (remedy == "homelab.ciCaFile"), done.err
    assert done.code == 20


@pytest.mark.parametrize(
    ("certificate", "says"),
    [
        (CertificateKind.SHORT_LIVED, r"ok certificate .* UTC \(in (5h5\dm|6h00m)\)"),
        (CertificateKind.NEARLY_EXPIRED, r"!  certificate .* UTC \(in (29m|30m00s)"),
    ],
    ids=["half is left", "the last tenth"],
)
def test_a_certificate_is_due_in_the_last_tenth_of_its_lifetime(
    sandbox: DoctorSandbox, certificate: CertificateKind, says: str
) -> None:
    """A load balancer's own certificates last for hours and renew themselves."""
    done = behind(sandbox, certificate)
    assert re.search(says, done.err), done.err
    assert done.code == 0
