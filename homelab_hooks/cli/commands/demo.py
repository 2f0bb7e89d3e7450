"""homelab demo: the real landing path against an embedded CI, git server and cluster.

Shows a landing on real parts (git over http, a TLS balancer, Vault, kubectl) with stand-ins for Woodpecker, the forge
and the cluster behind them. It needs no network, and nothing is left behind. The exit code is the landing's.
Install the parts with, in a checkout: pip install ".[demo]"
"""

from __future__ import annotations

import argparse

from homelab_hooks.app.session import Session
from homelab_hooks.demo.environment import DemoEnvironment
from homelab_hooks.demo.scenarios import SCENARIOS
from homelab_hooks.errors import CommandError
from homelab_hooks.exit_codes import ExitCode


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = "\n".join(["scenarios, with the code that each ends with:", *(f"  {row}" for row in _listed())])
    way = parser.add_mutually_exclusive_group()
    way.add_argument("scenario", metavar="SCENARIO", nargs="?", default="green", help="default: green")
    way.add_argument("--list", action="store_true", help="list the scenarios with their codes")
    way.add_argument("--shell", action="store_true", help="open a shell in the demo's repository, to try the commands")
    parser.add_argument("--output", choices=["auto", "live", "plain", "json"], default="auto", help="as for git land")


def run(args: argparse.Namespace, session: Session) -> int:
    """Play it."""
    if args.list:
        for row in _listed():
            session.world.terminal.out(row)
        return 0
    scenario = SCENARIOS.get(args.scenario)
    if scenario is None:
        raise CommandError(f"there is no scenario {args.scenario!r}", hint=f"one of {', '.join(SCENARIOS)}")
    say = session.world.terminal.err
    if args.shell:
        return _shell(session)
    say(f"demo {scenario.name}: {scenario.summary}")
    with DemoEnvironment(session.world.environ, scenario.script, scenario.rollout) as scene:
        scenario.prepare(scene)
        shown = " ".join(["git land", *scenario.options])
        say(f"$ {shown}")
        code = scene.land("--output", args.output, *scenario.options)
    if code == int(scenario.exit):
        say(f"demo {scenario.name}: ended with {code}, as it should")
    elif code in (ExitCode.INTERRUPTED, ExitCode.TERMINATED):
        say(f"demo {scenario.name}: interrupted")
    else:
        say(f"demo {scenario.name}: ended with {code}, but should have ended with {int(scenario.exit)}")
    return code


def _listed() -> list[str]:
    width = max(map(len, SCENARIOS))
    return [f"{name:<{width}}  {int(s.exit):>3}  {s.summary}" for name, s in SCENARIOS.items()]


_WELCOME = """\
a repository with a branch to land, its CI, its Vault and its cluster; all of it goes away with this shell. Try:
  homelab doctor                 would a landing work?
  git land --dry-run             what would it do?
  git land                       do it; then `homelab ci status`, `homelab ci logs --all`
  homelab deploy wait shop/web   does the cluster run it?"""


def _shell(session: Session) -> int:
    """A shell where everything is set; ends with the shell's own code."""
    scenario = SCENARIOS["green"]
    with DemoEnvironment(session.world.environ, scenario.script, scenario.rollout) as scene:
        session.world.terminal.err(_WELCOME)
        return scene.shell(session.world.environ.get("SHELL") or "sh")
