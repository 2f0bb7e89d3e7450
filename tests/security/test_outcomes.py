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
from tests.security.canaries import CI, HELPER, URL, VAULT
from tests.security.canary_clone import FAST, Place

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
"""what somebody else may say to us"""
LAND = ("git-land", "--verify-cmd", "true")
ALONE = (*LAND, "--no-ci-watch")


@dataclass(frozen=True)
class Case:
    """What is arranged, what is called, and how it ends."""

    words: tuple[str, ...]
    argv: tuple[str, ...]
    code: int
    arrange: Callable[[Place], object] = lambda _: None
    name: str = ""

    @property
    def loud(self) -> bool:
        """Whether somebody else's words are shown."""
        return self.arrange in LOUD

    def __str__(self) -> str:
        return f"{' '.join(self.words)}-{self.name or self.code}"


def gate(name: str, *options: str) -> tuple[str, ...]:
    """A gate as git calls it: the push is told on standard input."""
    told = 'printf "x %s refs/heads/main %040d\\n" "$(cat .git/refs/heads/topic)" 0 | exec homelab hooks "$@"'
    return ("/bin/sh", "-c", told, "sh", name, *options, "origin", "url")


def watch(code: int, name: str, *options: str, arrange: Callable[[Place], object]) -> Case:
    return Case(("ci", "watch"), ("homelab-watch", *options), code, arrange, name)


def land(code: int, name: str, *options: str, arrange: Callable[[Place], object] = lambda _: None) -> Case:
    return Case(("work", "land"), (*(LAND if name.startswith("ci") else ALONE), *options), code, arrange, name)


def other(words: str, code: int, *options: str, arrange: Callable[[Place], object] = lambda _: None) -> Case:
    told = f"{code} {' '.join(option for option in options if len(option) < 20)}".strip()
    return Case(tuple(words.split()), ("homelab", *words.split(), *options), code, arrange, told)


def then(*steps: Callable[[Place], object]) -> Callable[[Place], None]:
    def arrange(place: Place) -> None:
        for step in steps:
            step(place)

    return arrange


def verified(place: Place) -> None:
    place.configure("homelab.verify", "true")


def green(place: Place) -> None:
    place.pipeline(timelines.make_green(log=[SAID]))


def red(place: Place) -> None:
    place.pipeline(timelines.make_red(log=[SAID, f"{CI.value[:5]}\x1b[1m{CI.value[5:]}"], error=SAID))


def refusing(place: Place, status: int = 401) -> None:
    body = json.dumps({"message": SAID}).encode()
    place.site.fail(FaultRule(fault=faults.StatusFault(code=status, body=body, content_type="application/json")))


def unreachable(place: Place) -> None:
    place.site.fail(
        FaultRule(fault=faults.BodyFault(content=f"<html>{SAID}".encode(), content_type="text/html", code=502))
    )


def landing_is_watched(place: Place) -> None:
    def pushed(update: git_http.PushedRef) -> None:
        place.site.push("acme/app", "main", update.new, timelines.make_green())

    place.git.plan.on_push = pushed


def dirty(place: Place) -> None:
    place.clone.write("README", SAID)


def conflict(place: Place) -> None:
    bob = place.workshop.clone("bob")
    bob.commit("a", "theirs\n")
    bob.git("push", "--quiet", "origin", "HEAD:main")


def protected(place: Place) -> None:
    words = (
        f'test "$1" = refs/heads/main || exit 0; printf "Not allowed to push to protected branch: "; cat {_said(place)}'
    )
    place.workshop.write_hook("update", f"exec >&2; {words}; exit 1")


def refused_by_server(place: Place) -> None:
    place.workshop.write_hook("pre-receive", f"cat {_said(place)} >&2; exit 1")


def _said(place: Place) -> str:
    """A file with what the server's hook says, which is the server's own affair."""
    (place.folder / "kept").mkdir(exist_ok=True)
    (place.folder / "kept/said").write_text(SAID)
    return str(place.folder / "kept/said")


def verification_speaks(place: Place) -> None:
    place.configure("homelab.verify", f"cat {_said(place)}; env | sort; git remote -v; exit 3")


def wrong_password(place: Place) -> None:
    place.git.plan.credentials = "ann:other"
    place.git.plan.faults[GitService.FETCH_REFS] = git_http.GitFault.UNAUTHORIZED


def gone(place: Place) -> None:
    place.clone.git("remote", "set-url", "origin", f"http://ann:{URL.in_url}@127.0.0.1:1/acme/app.git")


def pushed_by_url(place: Place) -> None:
    """The branch goes to a URL, not to a remote."""
    place.configure("branch.topic.pushRemote", place.url)
    place.configure("homelab.target", "main")


def own_push_url(place: Place) -> None:
    place.clone.git("remote", "set-url", "--push", "origin", place.url.replace("ann:", "bob:"))
    place.git.plan.credentials = f"bob:{URL.value}"


def losing_the_answer(place: Place) -> None:
    plan = place.git.plan
    plan.faults[GitService.PUSH] = git_http.GitFault.LOSE_ANSWER
    plan.before_push = lambda: plan.faults.update({GitService.FETCH_REFS: git_http.GitFault.UNAVAILABLE})


def no_token(place: Place) -> None:
    place.shell.more |= {"WOODPECKER_TOKEN": "", "WP_TOKEN": ""}


def by_helper(place: Place) -> None:
    no_token(place)
    place.shell.more |= {"VAULT_ADDR": "", "VAULT_TOKEN": ""}
    (place.folder / "kept").mkdir(exist_ok=True)
    (place.folder / "kept/answer").write_text(f"username=ann\npassword={HELPER.value}\n")
    place.configure("credential.helper", f"!cat {place.folder / 'kept/answer'} #")


def vault_refuses(place: Place) -> None:
    no_token(place)
    place.shell.more["VAULT_TOKEN"] = VAULT.value[1:]


def deployed(place: Place) -> None:
    place.stage.deploy(place.clone.head, FAST)


def rolled_out(place: Place) -> None:
    green(place)
    deployed(place)
    place.configure("homelab.deploy", "shop/web")


def own_hook(place: Place) -> None:
    """It watches, and keeps our tokens; it says what it was told."""
    script = 'echo "told $@" | tee "$TMPDIR/told"; test -n "$WOODPECKER_TOKEN"; homelab-watch --timeout 0'
    place.workshop.write_hook("post-push", script, where=place.clone.path / ".git/hooks")


LOUD = {red, verification_speaks, protected, gone}
CASES = [
    watch(0, "green", arrange=green),
    watch(1, "red", arrange=red),
    watch(2, "usage", "--timeout", SAID, arrange=green),
    watch(3, "none", "--appear-timeout", "0", arrange=lambda _: None),
    watch(4, "denied", arrange=refusing),
    watch(4, "no token", arrange=vault_refuses),
    watch(8, "unreachable", "--unreachable-timeout", "0.2s", arrange=unreachable),
    watch(124, "timeout", "--timeout", "0.1s", arrange=lambda place: place.pipeline(timelines.make_stuck())),
    watch(0, "vault", arrange=then(no_token, green)),
    watch(0, "helper", arrange=then(by_helper, green)),
    other("ci status", 1, arrange=red),
    other("ci status", 124, arrange=lambda place: place.pipeline(timelines.make_stuck())),
    other("ci logs", 0, arrange=red),
    other("ci logs", 0, "--step", "test", arrange=green),
    other(
        "ci restart",
        0,
        arrange=lambda place: place.pipeline(timelines.make_flaky(timelines.make_red(), timelines.make_green())),
    ),
    other("ci restart", 0, arrange=green),
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
    Case(("work", "land"), ("git-land", "--no-ci-watch"), 22, verification_speaks, "verification"),
    land(23, "protected", arrange=protected),
    land(24, "refused", arrange=refused_by_server),
    land(24, "wrong password", arrange=wrong_password),
    land(24, "gone", arrange=gone),
    land(8, "lost answer", arrange=losing_the_answer),
    land(20, "nothing to continue", "--continue"),
    other("work start", 0, "t2"),
    other("work start", 24, "t2", arrange=gone),
    other("work clean", 0, "t2", arrange=lambda place: place.shell("homelab", "work", "start", "t2")),
    other("hooks install", 0),
    other("hooks uninstall", 0, arrange=lambda place: place.shell("homelab", "hooks", "install")),
    other("hooks status", 0),
    other("doctor", 0, arrange=verified),
    other("doctor", 24, arrange=then(verified, gone)),
    other("doctor", 20, arrange=then(verified, refusing)),
    other("config", 0, arrange=lambda place: place.configure("homelab.verify", SAID)),
    other("config", 2, "--remote", f"https://ann:{URL.in_url}@git.example.test/acme/app.git"),
    other("config", 2, "--server", f"https://ann:{URL.in_url}@git.example.test/"),
    other("demo", 0, "--list"),
    other("manifest", 0),
    other("hooks verify", 0, arrange=verification_speaks),
    other("hooks ci-green", 0),
    Case(("hooks", "ci-green"), gate("ci-green", "--strict"), 4, refusing, "denied"),
    Case(("hooks", "land-only"), gate("land-only"), 20, name="refused"),
    Case(("hooks", "verify"), gate("verify"), 22, verification_speaks, "verification"),
    other("hooks land-only", 0),
    other("hooks post-push", 0),
    other("hooks waiter", 2, "a" * 40),
    other(
        "hooks pushed",
        0,
        "refs/remotes/origin/main",
        "a" * 40,
        arrange=lambda p: p.configure("homelab.postPush", "off"),
    ),
    land(0, "by url alone", arrange=lambda place: place.configure("branch.topic.pushRemote", place.url)),
]


def test_every_verb_is_among_the_cases() -> None:
    assert {case.words for case in CASES} == {verb.words for verb in COMMANDS}


VIEWS = ("plain", "json", "live")
SHOWN = [(case, view) for place, case in enumerate(CASES) for view in (VIEWS if case.loud else (VIEWS[place % 3],))]
"""what others say is shown in every view, all else in one of them"""


@pytest.mark.parametrize(("case", "view"), SHOWN, ids=str)
def test_no_canary_is_given_away(place: Place, case: Case, view: str) -> None:
    case.arrange(place)
    place.known = place.files()
    place.shell.more |= {"HOMELAB_OUTPUT": view, "HOMELAB_DEBUG": "1"}
    ended = place.on_terminal(*case.argv) if view == "live" else place.shell(*case.argv)
    assert ended.code == case.code, ended
    assert place.gave_away(ended) == []
    assert "Traceback" not in ended.err
