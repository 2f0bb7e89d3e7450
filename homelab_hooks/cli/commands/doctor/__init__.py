"""homelab doctor: everything a landing depends on, examined, each finding with its remedy.

Examines settings, git, the remote, the way to CI, the token, the repository in CI, Vault, kubectl and the hooks, side
by side and within five seconds, and changes nothing. Ends with 0 if a landing from here would work, else with the code
that it would end with.
"""

from __future__ import annotations

import argparse

from homelab_hooks.app import options
from homelab_hooks.app.session import Session
from homelab_hooks.cli.commands.doctor import ci, cluster, git, hooks, settings, token
from homelab_hooks.cli.commands.doctor.parallel import run_checks
from homelab_hooks.config.schema import OutputMode
from homelab_hooks.events import Finding, FindingStatus
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.system.process import kill_abandoned
from homelab_hooks.text.humanize import pluralize
from homelab_hooks.verdict import Verdict

CHECK_TIMEOUT_S = 4.5
"""seconds for all of it"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("--json", action="store_true", help="the same as --output json")
    parser.add_argument("--context", default="", metavar="NAME", help="handed to kubectl")
    parser.add_argument("--kubeconfig", default="", metavar="PATH", help="handed to kubectl")
    options.add_options(parser, *options.LAND_OPTIONS)


def run(args: argparse.Namespace, session: Session) -> int:
    """Examine, and say what was found in an order in which one would mend it."""
    args.output = OutputMode.JSON.value if args.json else args.output
    config, problems = session.resolve_leniently(vars(args))
    found = list(settings.check_settings(config, problems))
    for finding in found:
        session.tell(finding)
    kubectl = session.world.kubectl(context=args.context, kubeconfig=args.kubeconfig)
    examinations = (
        *git.git_checks(config, session.world),
        token.token_check(config, session.world),
        *ci.ci_checks(config, session.world),
        *cluster.cluster_checks(config, kubectl),
        hooks.hooks_check(config, session.world),
    )
    for finding in run_checks(examinations, clock=session.world.clock, patience=CHECK_TIMEOUT_S):
        found.append(finding)
        session.tell(finding)
    kill_abandoned()
    return session.finish(_verdict(found))


def _verdict(found: list[Finding]) -> Verdict:
    """The first problem is the one that a landing would meet first."""
    problems = [finding for finding in found if finding.health is FindingStatus.PROBLEM]
    warnings = sum(finding.health is FindingStatus.WARNING for finding in found)
    also = f", {pluralize(warnings, 'warning')}" if warnings else ""
    if not problems:
        return Verdict(exit=ExitCode.OK, reason=f"a landing from here would work{also}")
    worst = min(problems, key=lambda finding: _TOPIC_ORDER.index(finding.exit))
    reason = (
        f"{pluralize(len(problems), 'problem')}{also}; a landing would end with {int(worst.exit)}: {worst.evidence}"
    )
    return Verdict(exit=worst.exit, reason=reason, hint=worst.remedy)


_TOPIC_ORDER = (
    ExitCode.USAGE, ExitCode.REFUSED, ExitCode.PUSH_FAILED, ExitCode.NO_PIPELINE, ExitCode.DENIED, ExitCode.UNREACHABLE,
    ExitCode.ROLLOUT_FAILED,
    ExitCode.ROLLOUT_UNPROVEN, *ExitCode,
)  # fmt: skip
"""the codes in the order in which a landing meets their causes"""
