"""Canaries through every verb and every kind of end: none is in an output, a file, an argv or a child's variables."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from homelab_hooks.cli.verbs import COMMANDS
from homelab_hooks.simulators import faults, git_http
from homelab_hooks.simulators.faults import FaultRule
from homelab_hooks.simulators.git_http import GitService
from homelab_hooks.simulators.woodpecker import timelines
from tests.security import arrangements
from tests.security.canaries import CI, FORGE, HELPER, URL, VAULT
from tests.security.canary_clone import FAST, CanarySandbox

pytestmark = [pytest.mark.slow, pytest.mark.first]

SAID = " ".join(
    (
        CI.value,
        VAULT.value,
        URL.value,
        URL.in_url,
        CI.in_url,
        json.dumps(CI.value),
        f"https://ann:{URL.in_url}@git.example.test/x",
    )
)
"""text that may come from others"""
LAND = ("git-land", "--verify-cmd", "true")
ALONE = (*LAND, "--no-ci-watch")


@dataclass(frozen=True)
class OutcomeCase:
    """What is arranged, what is called, and how it ends."""

    words: tuple[str, ...]
    argv: tuple[str, ...]
    code: int
    arrange: Callable[[CanarySandbox], object] = lambda _: None
    name: str = ""

    @property
    def loud(self) -> bool:
        """Whether text from others is shown."""
        return self.arrange in LOUD

    def __str__(self) -> str:
        return f"{' '.join(self.words)}-{self.name or self.code}"


def gate(name: str, *options: str) -> tuple[str, ...]:
    """A gate as git calls it: the push is told on standard input."""
    told = 'printf "x %s refs/heads/main %040d\\n" "$(cat .git/refs/heads/topic)" 0 | exec homelab hooks "$@"'
    return ("/bin/sh", "-c", told, "sh", name, *options, "origin", "url")


def watch(code: int, name: str, *options: str, arrange: Callable[[CanarySandbox], object]) -> OutcomeCase:
    return OutcomeCase(("ci", "watch"), ("homelab-watch", *options), code, arrange, name)


def land(
    code: int, name: str, *options: str, arrange: Callable[[CanarySandbox], object] = lambda _: None
) -> OutcomeCase:
    return OutcomeCase(("work", "land"), (*(LAND if name.startswith("ci") else ALONE), *options), code, arrange, name)


def other(
    words: str, code: int, *options: str, arrange: Callable[[CanarySandbox], object] = lambda _: None
) -> OutcomeCase:
    told = f"{code} {' '.join(option for option in options if len(option) < 20)}".strip()
    return OutcomeCase(tuple(words.split()), ("homelab", *words.split(), *options), code, arrange, told)


def then(*steps: Callable[[CanarySandbox], object]) -> Callable[[CanarySandbox], None]:
    def arrange(sandbox: CanarySandbox) -> None:
        for step in steps:
            step(sandbox)

    return arrange


def verified(sandbox: CanarySandbox) -> None:
    sandbox.configure("homelab.verify", "true")


def green(sandbox: CanarySandbox) -> None:
    sandbox.pipeline(timelines.make_green(log=[SAID]))


def red(sandbox: CanarySandbox) -> None:
    sandbox.pipeline(timelines.make_red(log=[SAID, f"{CI.value[:5]}\x1b[1m{CI.value[5:]}"], error=SAID))


def refusing(sandbox: CanarySandbox, status: int = 401) -> None:
    body = json.dumps({"message": SAID}).encode()
    sandbox.woodpecker.fail(
        FaultRule(fault=faults.StatusFault(code=status, body=body, content_type="application/json"))
    )


def unreachable(sandbox: CanarySandbox) -> None:
    sandbox.woodpecker.fail(
        FaultRule(fault=faults.BodyFault(content=f"<html>{SAID}".encode(), content_type="text/html", code=502))
    )


def landing_is_watched(sandbox: CanarySandbox) -> None:
    def pushed(update: git_http.PushedRef) -> None:
        sandbox.woodpecker.push("acme/app", "main", update.new, timelines.make_green())

    sandbox.git.plan.on_push = pushed


def dirty(sandbox: CanarySandbox) -> None:
    sandbox.clone.write("README", SAID)


def conflict(sandbox: CanarySandbox) -> None:
    bob = sandbox.workshop.clone("bob")
    bob.commit("a", "theirs\n")
    bob.git("push", "--quiet", "origin", "HEAD:main")


def protected(sandbox: CanarySandbox) -> None:
    only_main = 'test "$1" = refs/heads/main || exit 0'
    words = f'{only_main}; printf "Not allowed to push to protected branch: "; cat {_said(sandbox)}'
    sandbox.workshop.write_hook("update", f"exec >&2; {words}; exit 1")


def refused_by_server(sandbox: CanarySandbox) -> None:
    sandbox.workshop.write_hook("pre-receive", f"cat {_said(sandbox)} >&2; exit 1")


def _said(sandbox: CanarySandbox) -> str:
    """A file with what the server's hook says, which is the server's own affair."""
    (sandbox.folder / "kept").mkdir(exist_ok=True)
    (sandbox.folder / "kept/said").write_text(SAID)
    return str(sandbox.folder / "kept/said")


def verification_speaks(sandbox: CanarySandbox) -> None:
    sandbox.configure("homelab.verify", f"cat {_said(sandbox)}; env | sort; git remote -v; exit 3")


def wrong_password(sandbox: CanarySandbox) -> None:
    sandbox.git.plan.credentials = "ann:other"
    sandbox.git.plan.faults[GitService.FETCH_REFS] = git_http.GitFault.UNAUTHORIZED


def gone(sandbox: CanarySandbox) -> None:
    sandbox.clone.git("remote", "set-url", "origin", f"http://ann:{URL.in_url}@127.0.0.1:1/acme/app.git")


def pushed_by_url(sandbox: CanarySandbox) -> None:
    """The branch goes to a URL, not to a remote."""
    sandbox.configure("branch.topic.pushRemote", sandbox.url)
    sandbox.configure("homelab.target", "main")


def own_push_url(sandbox: CanarySandbox) -> None:
    sandbox.clone.git("remote", "set-url", "--push", "origin", sandbox.url.replace("ann:", "bob:"))
    sandbox.git.plan.credentials = f"bob:{URL.value}"


def losing_the_answer(sandbox: CanarySandbox) -> None:
    plan = sandbox.git.plan
    plan.faults[GitService.PUSH] = git_http.GitFault.LOSE_ANSWER
    plan.before_push = lambda: plan.faults.update({GitService.FETCH_REFS: git_http.GitFault.UNAVAILABLE})


def no_token(sandbox: CanarySandbox) -> None:
    sandbox.shell.more |= {"WOODPECKER_TOKEN": "", "WP_TOKEN": ""}


def by_helper(sandbox: CanarySandbox) -> None:
    no_token(sandbox)
    sandbox.shell.more |= {"VAULT_ADDR": "", "VAULT_TOKEN": ""}
    (sandbox.folder / "kept").mkdir(exist_ok=True)
    (sandbox.folder / "kept/answer").write_text(f"username=ann\npassword={HELPER.value}\n")
    sandbox.configure("credential.helper", f"!cat {sandbox.folder / 'kept/answer'} #")


def vault_refuses(sandbox: CanarySandbox) -> None:
    no_token(sandbox)
    sandbox.shell.more["VAULT_TOKEN"] = VAULT.value[1:]


def deployed(sandbox: CanarySandbox) -> None:
    sandbox.stage.deploy(sandbox.clone.head, FAST)


def rolled_out(sandbox: CanarySandbox) -> None:
    green(sandbox)
    deployed(sandbox)
    sandbox.configure("homelab.deploy", "shop/web")


def own_hook(sandbox: CanarySandbox) -> None:
    """It watches, and keeps our tokens; it says what it was told."""
    script = 'echo "told $@" | tee "$TMPDIR/told"; test -n "$WOODPECKER_TOKEN"; homelab-watch --timeout 0'
    sandbox.workshop.write_hook("post-push", script, where=sandbox.clone.path / ".git/hooks")


def webhook_is_redelivered(sandbox: CanarySandbox) -> None:
    """The user names the forge, so the token from a variable is sent there."""
    sandbox.configure("homelab.origin.forgeUrl", sandbox.open_forge(FORGE.value).url)


def webhook_is_refused(sandbox: CanarySandbox) -> None:
    sandbox.configure("homelab.origin.forgeUrl", sandbox.open_forge("another").url)


LOUD = {red, verification_speaks, protected, gone}
CASES = [
    watch(0, "green", arrange=green),
    watch(1, "red", arrange=red),
    watch(2, "usage", "--timeout", SAID, arrange=green),
    watch(3, "none", "--appear-timeout", "0", arrange=lambda _: None),
    watch(4, "denied", arrange=refusing),
    watch(4, "no token", arrange=vault_refuses),
    watch(8, "unreachable", "--unreachable-timeout", "0.2s", arrange=unreachable),
    watch(124, "timeout", "--timeout", "0.1s", arrange=lambda sandbox: sandbox.pipeline(timelines.make_stuck())),
    watch(0, "vault", arrange=then(no_token, green)),
    watch(0, "helper", arrange=then(by_helper, green)),
    other("ci status", 1, arrange=red),
    other("ci status", 124, arrange=lambda sandbox: sandbox.pipeline(timelines.make_stuck())),
    other("ci logs", 0, arrange=red),
    other("ci logs", 0, "--step", "test", arrange=green),
    other(
        "ci restart",
        0,
        arrange=lambda sandbox: sandbox.pipeline(timelines.make_flaky(timelines.make_red(), timelines.make_green())),
    ),
    other("ci restart", 0, arrange=green),
    other("ci restart", 4, "--redeliver", "--no-watch", arrange=webhook_is_refused),
    other("ci restart", 0, "--redeliver", "--no-watch", arrange=webhook_is_redelivered),
    other("ci cancel", 0, arrange=lambda sandbox: sandbox.pipeline(timelines.make_stuck())),
    other("deploy wait", 0, "shop/web", arrange=deployed),
    other("deploy wait", 10, "shop/nothing"),
    other("deploy wait", 4, "shop/web", "--context", "nowhere"),
    land(0, "landed"),
    land(0, "ci and rollout", arrange=then(landing_is_watched, rolled_out)),
    land(124, "ci hook", arrange=own_hook),
    land(0, "rehearsed", "--dry-run"),
    land(0, "by url", arrange=pushed_by_url),
    land(0, "by push url", arrange=own_push_url),
    land(20, "ci denied", arrange=refusing),
    land(20, "dirty", arrange=dirty),
    land(21, "conflict", arrange=conflict),
    OutcomeCase(("work", "land"), ("git-land", "--no-ci-watch"), 22, verification_speaks, "verification"),
    land(23, "protected", arrange=protected),
    land(24, "refused", arrange=refused_by_server),
    land(24, "wrong password", arrange=wrong_password),
    land(24, "gone", arrange=gone),
    land(8, "lost answer", arrange=losing_the_answer),
    land(20, "nothing to continue", "--continue"),
    other("work start", 0, "t2"),
    other("work start", 24, "t2", arrange=gone),
    other("work clean", 0, "t2", arrange=lambda sandbox: sandbox.shell("homelab", "work", "start", "t2")),
    other("hooks install", 0),
    other("hooks uninstall", 0, arrange=lambda sandbox: sandbox.shell("homelab", "hooks", "install")),
    other("hooks status", 0),
    other("doctor", 0, arrange=verified),
    other("doctor", 24, arrange=then(verified, gone)),
    other("doctor", 20, arrange=then(verified, refusing)),
    other("config", 0, arrange=lambda sandbox: sandbox.configure("homelab.verify", SAID)),
    other("config", 2, "--remote", f"https://ann:{URL.in_url}@git.example.test/acme/app.git"),
    other("config", 2, "--server", f"https://ann:{URL.in_url}@git.example.test/"),
    other("demo", 0, "--list"),
    other("manifest", 0),
    other("hooks verify", 0, arrange=verification_speaks),
    other("hooks ci-green", 0),
    OutcomeCase(("hooks", "ci-green"), gate("ci-green", "--strict"), 4, refusing, "denied"),
    OutcomeCase(("hooks", "land-only"), gate("land-only"), 20, name="refused"),
    OutcomeCase(("hooks", "verify"), gate("verify"), 22, verification_speaks, "verification"),
    other("hooks land-only", 0),
    other("hooks post-push", 0),
    other("hooks watcher", 2, "a" * 40),
    other(
        "hooks pushed",
        0,
        "refs/remotes/origin/main",
        "a" * 40,
        arrange=lambda p: p.configure("homelab.postPush", "off"),
    ),
    land(0, "by url alone", arrange=lambda sandbox: sandbox.configure("branch.topic.pushRemote", sandbox.url)),
    other("follow", 0, "--onto", "main", "--follow", "ci", arrange=green),
    other("follow", 1, "--onto", "main", arrange=red),
    other("trust list", 0),
    other("trust revoke", 0, "--all"),
    other("completion", 0, "bash"),
    other("mcp", 0),
    other("agent install", 0, "claude", "--yes"),
    other("agent install", 20, "codex", "--project", "--yes"),
    other("agent uninstall", 0, "codex"),
    other("agent status", 0, "claude"),
    other("agent wake", 0),
    other("deploy wait", 0, "shop/web", arrange=arrangements.private_image),
    other("deploy wait", 0, "shop/web", "--exact", arrange=arrangements.image_by_helper),
    other("deploy wait", 10, "shop/web", "--rollout-timeout", "0.5s", arrange=arrangements.refusing_registry),
    other("follow", 1, "--onto", "main", arrange=then(red, arrangements.notifying)),
    other("doctor", 0, "--output", "plain", arrange=then(verified, arrangements.notifying)),
    other("config", 0, "--output", "plain", arrange=arrangements.notifying),
    land(0, "proposed", arrange=arrangements.protected_forge),
    land(0, "reverted", "--revert", "HEAD", arrange=arrangements.on_main),
]


def test_every_verb_is_among_the_cases() -> None:
    assert {case.words for case in CASES} == {verb.words for verb in COMMANDS}


VIEWS = ("plain", "json", "live")
SHOWN = [(case, view) for sandbox, case in enumerate(CASES) for view in (VIEWS if case.loud else (VIEWS[sandbox % 3],))]
"""what others say is shown in every view, all else in one of them"""


@pytest.mark.parametrize(("case", "view"), SHOWN, ids=str)
def test_no_canary_is_given_away(sandbox: CanarySandbox, case: OutcomeCase, view: str) -> None:
    case.arrange(sandbox)
    sandbox.known = sandbox.files()
    sandbox.shell.more |= {"HOMELAB_OUTPUT": view, "HOMELAB_DEBUG": "1"}
    ended = sandbox.on_terminal(*case.argv) if view == "live" else sandbox.shell(*case.argv)
    assert ended.code == case.code, ended
    assert sandbox.gave_away(ended) == []
    assert "Traceback" not in ended.err
