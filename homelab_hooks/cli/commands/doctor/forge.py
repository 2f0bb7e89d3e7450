"""Check of the forge of a protected target: the forge, the token and its rights, and what the target's rules allow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from homelab_hooks.cli.commands.doctor.parallel import DoctorCheck, from_error
from homelab_hooks.config.pull_requests import ProtectedTarget
from homelab_hooks.errors import CommandError
from homelab_hooks.events import Finding, FindingStatus
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.land.preflight import resolve_remote
from homelab_hooks.land.request import LandRequest
from homelab_hooks.polling.outcome import Found
from homelab_hooks.text.humanize import join_names, pluralize

if TYPE_CHECKING:
    from homelab_hooks.app.runtime import Runtime
    from homelab_hooks.config.resolve import Config
    from homelab_hooks.land.proposal import ProposalPlan

FORGE_ANSWER_TIMEOUT_S = 3.0
"""seconds for each answer of the forge: less than all checks together have"""
_NAME = "forge"


def forge_checks(config: Config, runtime: Runtime) -> tuple[DoctorCheck, ...]:
    """Return the check of the forge; none unless pull requests are merged (`--protected merge`)."""
    if config.protected is not ProtectedTarget.MERGE:
        return ()
    hint = "check the address of the forge: git config homelab.REMOTE.forgeUrl URL"
    return (DoctorCheck(_NAME, lambda: _check_forge(config, runtime), hint, needs=frozenset({"remote"})),)


def _check_forge(config: Config, runtime: Runtime) -> Iterator[Finding]:
    """Yield whether a pull request could be merged; asked as the preflight of a landing asks it."""
    from homelab_hooks.app.proposal_setup import connect_proposals
    from homelab_hooks.land.proposal import TargetLook, look_at_target

    git = runtime.git_untrusted
    if git.location.top_level() is None:
        return
    remote = resolve_remote(LandRequest(remote=config.remote, onto=config.onto), git)
    asked = Found(config.onto) if config.onto else git.remotes.head_branch(remote)
    if not isinstance(asked, Found):
        return  # the check of the remote reports it
    try:
        place = connect_proposals(config, runtime, remote)
        look = TargetLook(place, asked.value, config.merge_style, FORGE_ANSWER_TIMEOUT_S)
        plan = look_at_target(look, runtime.clock)
    except CommandError as problem:
        yield from_error(_NAME, problem, exit_=ExitCode.REFUSED)
        return
    finally:
        runtime.forges.close()
    if plan is None:
        evidence = f"{place.forge.name}: {asked.value} takes direct pushes, and no pull request is needed"
        yield Finding(_NAME, FindingStatus.OK, evidence)
        return
    yield _describe_plan(plan, asked.value, has_ci=config.server is not None)


def _describe_plan(plan: ProposalPlan, target: str, *, has_ci: bool) -> Finding:
    rules = plan.protection
    checks = rules.required_checks
    parts = [f"{plan.place.forge.name}: {target} is merged through pull requests"]
    if checks.is_enabled:
        parts.append(f"required checks: {join_names(checks.patterns) if checks.patterns else 'all that are reported'}")
    if rules.required_approvals:
        parts.append(f"needs {pluralize(rules.required_approvals, 'approval')}")
    evidence = "; ".join(parts)
    if rules.required_approvals:
        remedy = "git land exits with 23 until the pull request is approved: ask for a review, then run git land again"
        return Finding(_NAME, FindingStatus.WARNING, evidence, remedy)
    if not checks.is_enabled and not has_ci:
        remedy = "require a check on the forge, or run CI for pull requests"
        return Finding(_NAME, FindingStatus.WARNING, f"{evidence}; nothing checks them", remedy)
    return Finding(_NAME, FindingStatus.OK, evidence)
