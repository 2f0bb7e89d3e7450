"""homelab demo: try homelab against simulated services.

Land a branch with real git over HTTP, a TLS load balancer, Vault, and kubectl; Woodpecker, the Git forge, and the
cluster are simulated. The demo needs no network, and deletes everything at the end. The exit code is that of the
landing.

The demo needs the extra demo. If it is not installed, the command that installs it is printed.
"""

from __future__ import annotations

import argparse
from difflib import get_close_matches

from homelab_hooks.app.session import Session
from homelab_hooks.demo.environment import DemoEnvironment
from homelab_hooks.demo.scenarios import SCENARIOS, let_ci_test_the_greeting
from homelab_hooks.errors import CommandError
from homelab_hooks.events import Answer
from homelab_hooks.exit_codes import ExitCode


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments and options."""
    parser.epilog = "\n".join(["scenarios and their exit codes:", *(f"  {row}" for row in _listed())])
    way = parser.add_mutually_exclusive_group()
    way.add_argument(
        "scenario", metavar="SCENARIO", nargs="?", default="green", help="the scenario, see below (default: green)"
    )
    way.add_argument("--list", action="store_true", help="list the scenarios and their exit codes")
    way.add_argument("--shell", action="store_true", help="open a shell in the demo repository")
    parser.add_argument(
        "--output",
        choices=["auto", "live", "plain", "json"],
        metavar="auto|live|plain|json",
        help="output format: live view, plain lines, or newline-delimited JSON; "
        "auto: live on a terminal, otherwise plain (default: auto)",
    )


def _unknown_scenario(name: str) -> CommandError:
    meant = get_close_matches(name, SCENARIOS, n=1)
    hint = f"{f'did you mean {meant[0]}? ' if meant else ''}to list the scenarios, run: homelab demo --list"
    return CommandError(f"{name!r} is not a scenario", hint=hint)


def run(args: argparse.Namespace, session: Session) -> int:
    """Run the scenario."""
    if args.list:
        for row in _listed():
            session.answer(Answer(row), row)
        return session.finish_answer()
    scenario = SCENARIOS.get(args.scenario)
    if scenario is None:
        raise _unknown_scenario(args.scenario)
    say = session.runtime.terminal.err
    if args.shell:
        return _shell(session)
    say(f"demo {scenario.name}: {scenario.summary}")
    with DemoEnvironment(session.runtime.environ, scenario.script, scenario.rollout) as scene:
        scenario.prepare(scene)
        shown = " ".join(["git land", *scenario.options])
        say(f"$ {shown}")
        code = scene.land(*(["--output", args.output] if args.output else []), *scenario.options)
    if code == int(scenario.exit):
        say(f"demo {scenario.name}: ended with {code}, as expected")
    elif code in (ExitCode.INTERRUPTED, ExitCode.TERMINATED):
        say(f"demo {scenario.name}: interrupted")
    else:
        say(f"demo {scenario.name}: ended with {code}, expected {int(scenario.exit)}")
    return code


def _listed() -> list[str]:
    width = max(map(len, SCENARIOS))
    return [f"{name:<{width}}  {int(s.exit):>3}  {s.summary}" for name, s in SCENARIOS.items()]


_WELCOME = """\
Demo shell: a sample repository with CI, Vault, and a cluster.
Everything is deleted when you exit. Try:
  homelab doctor                 check the setup
  git land --dry-run             show what would be done
  git land                       land the branch
  homelab ci status              show its pipeline again
  homelab ci logs --all          print its logs
  homelab deploy wait shop/web   check that the cluster runs the commit
To see a landing that fails in CI, break the greeting that its test expects:
  echo good morning > greeting; git commit -qam morning; git land"""


def _shell(session: Session) -> int:
    """Open a shell in the demo repository, and return its exit code."""
    scenario = SCENARIOS["green"]
    with DemoEnvironment(session.runtime.environ, scenario.script, scenario.rollout) as scene:
        let_ci_test_the_greeting(scene)
        session.runtime.terminal.err(_WELCOME)
        return scene.shell(session.runtime.environ.get("SHELL") or "sh")
