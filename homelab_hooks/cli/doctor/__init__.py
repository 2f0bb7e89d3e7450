"""homelab doctor: everything a landing depends on, examined, each finding with its remedy.

Examines settings, git, the remote, the way to CI, the token, the repository in CI, Vault, kubectl and the hooks, side
by side and within five seconds, and changes nothing. Ends with 0 if a landing from here would work, else with the code
that it would end with.
"""

from __future__ import annotations

import argparse

from homelab_hooks.cli import options
from homelab_hooks.cli.doctor import ci, cluster, git, hooks, settings, token
from homelab_hooks.cli.doctor.aside import side_by_side
from homelab_hooks.cli.session import Session
from homelab_hooks.events import Finding, Health
from homelab_hooks.exits import Exit
from homelab_hooks.proc import end_running
from homelab_hooks.sentences import counted
from homelab_hooks.settings import Output
from homelab_hooks.verdict import Verdict

PATIENCE = 4.5
"""seconds for all of it"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("--json", action="store_true", help="the same as --output json")
    parser.add_argument("--context", default="", metavar="NAME", help="handed to kubectl")
    parser.add_argument("--kubeconfig", default="", metavar="PATH", help="handed to kubectl")
    options.add(parser, *options.LANDING)


def run(args: argparse.Namespace, session: Session) -> int:
    """Examine, and say what was found in an order in which one would mend it."""
    args.output = Output.JSON.value if args.json else args.output
    config, problems = session.survey(args)
    found = list(settings.examine(config, problems))
    for finding in found:
        session.tell(finding)
    kubectl = session.world.kubectl(context=args.context, kubeconfig=args.kubeconfig)
    examinations = (
        *git.examinations(config, session.world),
        token.examination(config, session.world),
        *ci.examinations(config, session.world),
        *cluster.examinations(config, kubectl),
        hooks.examination(config, session.world),
    )
    for finding in side_by_side(examinations, clock=session.world.clock, patience=PATIENCE):
        found.append(finding)
        session.tell(finding)
    end_running()
    return session.finish(_verdict(found))


def _verdict(found: list[Finding]) -> Verdict:
    """The first problem is the one that a landing would meet first."""
    problems = [finding for finding in found if finding.health is Health.PROBLEM]
    warnings = sum(finding.health is Health.WARNING for finding in found)
    also = f", {counted(warnings, 'warning')}" if warnings else ""
    if not problems:
        return Verdict(exit=Exit.OK, reason=f"a landing from here would work{also}")
    worst = min(problems, key=lambda finding: _ORDER.index(finding.exit))
    reason = f"{counted(len(problems), 'problem')}{also}; a landing would end with {int(worst.exit)}: {worst.evidence}"
    return Verdict(exit=worst.exit, reason=reason, hint=worst.remedy)


_ORDER = (
    Exit.USAGE, Exit.REFUSED, Exit.PUSH_FAILED, Exit.NO_PIPELINE, Exit.DENIED, Exit.UNREACHABLE, Exit.ROLLOUT_FAILED,
    Exit.ROLLOUT_UNPROVEN, *Exit,
)  # fmt: skip
"""the codes in the order in which a landing meets their causes"""
