"""homelab demo: the real landing path against an embedded CI, git server and cluster.

Shows a landing on real parts (git over http, a TLS balancer, Vault, kubectl) with stand-ins for Woodpecker, the forge
and the cluster behind them. It needs no network, and nothing is left behind. The exit code is the landing's.
Install the parts with: pip install "homelab-hooks[demo]"
"""

from __future__ import annotations

import argparse

from homelab_hooks.cli.session import Session
from homelab_hooks.demo.scenarios import SCENARIOS
from homelab_hooks.demo.scene import Scene
from homelab_hooks.errors import Problem


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    width = max(map(len, SCENARIOS))
    rows = [f"  {name:<{width}}  {int(s.exit):>3}  {s.summary}" for name, s in SCENARIOS.items()]
    parser.epilog = "\n".join(["scenarios, with the code that each ends with:", *rows])
    parser.add_argument("scenario", metavar="SCENARIO", nargs="?", default="green", help="default: green")
    parser.add_argument("--output", choices=["auto", "live", "plain", "json"], default="auto", help="as for git land")


def run(args: argparse.Namespace, session: Session) -> int:
    """Play it."""
    scenario = SCENARIOS.get(args.scenario)
    if scenario is None:
        raise Problem(f"there is no scenario {args.scenario!r}", hint=f"one of {', '.join(SCENARIOS)}")
    say = session.world.terminal.err
    say(f"demo {scenario.name}: {scenario.summary}")
    with Scene(session.world.environ, scenario.script, scenario.rollout) as scene:
        scenario.prepare(scene)
        shown = " ".join(["git land", *scenario.options])
        say(f"$ {shown}")
        code = scene.land("--output", args.output, *scenario.options)
    if code == int(scenario.exit):
        say(f"demo {scenario.name}: ended with {code}, as it should")
    else:
        say(f"demo {scenario.name}: ended with {code}, but should have ended with {int(scenario.exit)}")
    return code
