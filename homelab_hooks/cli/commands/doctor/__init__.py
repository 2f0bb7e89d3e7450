"""homelab doctor: check everything `git land` depends on and suggest fixes.

Check settings, git, the remote, the forge if pull requests are merged, the connection to CI, the token, the repository
in CI, Vault, mirrors, kubectl, the hooks, and notifications, in parallel and within five seconds. Nothing is changed.
Exit with 0 if `git land` can run, otherwise with the code that `git land` would exit with.
"""

from __future__ import annotations

import argparse

from homelab_hooks.app import options
from homelab_hooks.app.session import Session
from homelab_hooks.cli.commands.doctor import ci, cluster, forge, git, hooks, links, notifications, settings, token
from homelab_hooks.cli.commands.doctor.parallel import run_checks
from homelab_hooks.config.schema import OutputMode
from homelab_hooks.events import Finding, FindingStatus
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.system.process_runner import kill_abandoned
from homelab_hooks.text.humanize import pluralize
from homelab_hooks.verdict import Verdict

CHECK_TIMEOUT_S = 4.5
"""seconds for all checks together"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments and options."""
    parser.add_argument("--json", action="store_true", help="same as --output json")
    options.add_kubectl_options(parser)
    options.add_options(parser, *options.LAND_OPTIONS)


def run(args: argparse.Namespace, session: Session) -> int:
    """Run the checks, and print the findings in the order in which to fix them."""
    args.output = OutputMode.JSON.value if args.json else args.output
    config, problems = session.resolve_leniently(vars(args))
    found = list(settings.check_settings(config, problems))
    for finding in found:
        session.tell(finding)
    kubectl = session.runtime.kubectl(context=args.context, kubeconfig=args.kubeconfig)
    checks = (
        *git.git_checks(config, session.runtime),
        *forge.forge_checks(config, session.runtime),
        token.token_check(config, session.runtime),
        *ci.ci_checks(config, session.runtime),
        *links.link_checks(config, session.runtime),
        *cluster.cluster_checks(config, kubectl),
        hooks.hooks_check(config, session.runtime),
        notifications.notifications_check(config, session.runtime.user_command_runner),
    )
    for finding in run_checks(checks, clock=session.runtime.clock, timeout=CHECK_TIMEOUT_S):
        found.append(finding)
        session.tell(finding)
    kill_abandoned()
    return session.finish(_verdict(found))


def _verdict(found: list[Finding]) -> Verdict:
    """Return the verdict: the problem that a landing would meet first."""
    problems = [finding for finding in found if finding.health is FindingStatus.PROBLEM]
    warnings = sum(finding.health is FindingStatus.WARNING for finding in found)
    also = f", {pluralize(warnings, 'warning')}" if warnings else ""
    if not problems:
        return Verdict(exit=ExitCode.OK, reason=f"git land can run{also}")
    worst = min(problems, key=lambda finding: _TOPIC_ORDER.index(finding.exit))
    reason = (
        f"{pluralize(len(problems), 'problem')}{also}; `git land` would exit with {int(worst.exit)}: {worst.evidence}"
    )
    return Verdict(exit=worst.exit, reason=reason, hint=worst.remedy)


_TOPIC_ORDER = (
    ExitCode.USAGE, ExitCode.REFUSED, ExitCode.PUSH_FAILED, ExitCode.NO_PIPELINE, ExitCode.DENIED, ExitCode.UNREACHABLE,
    ExitCode.ROLLOUT_FAILED,
    ExitCode.ROLLOUT_UNPROVEN, *ExitCode,
)  # fmt: skip
"""the codes in the order in which a landing meets their causes"""
