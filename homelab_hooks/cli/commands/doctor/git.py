"""Checks of git and the remote: version, identity, working tree, verification command, target, reachability."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from homelab_hooks.app.command_trust import TrustedCommands
from homelab_hooks.app.runtime import Runtime
from homelab_hooks.cli.commands.doctor.parallel import DoctorCheck, from_error, make_problem
from homelab_hooks.config.resolve import TRACKED_FILE, Config, find_repository_filters
from homelab_hooks.errors import CommandError
from homelab_hooks.events import Finding, FindingStatus
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.git import remote_url as remotes
from homelab_hooks.git.command import MIN_VERSION
from homelab_hooks.git.remote_url import RepoAddress
from homelab_hooks.git.repository import Repository
from homelab_hooks.land.preconditions import no_head_branch_hint, unmet_preconditions
from homelab_hooks.land.preflight import collect_facts, resolve_remote
from homelab_hooks.land.request import DetectVerification, LandRequest, VerifyCommand
from homelab_hooks.land.verification import CanRun, choose_candidate, detect_in, probe_with
from homelab_hooks.polling.outcome import Found, NotFound, Unavailable
from homelab_hooks.text.humanize import join_names


def git_checks(config: Config, runtime: Runtime) -> tuple[DoctorCheck, ...]:
    """Return the checks of this repository and of the remote."""
    wanted = LandRequest(remote=config.remote, onto=config.onto, verify=_verify_choice(config))
    can_run = probe_with(runtime.user_command_runner)
    git, filters = runtime.git_untrusted, find_repository_filters(runtime.git_readonly.location.config_entries())
    return (
        DoctorCheck("git", lambda: _check_version(git), "to see the error, run: git version"),
        DoctorCheck("working tree", lambda: _check_worktree(wanted, git, filters), "to see the error, run: git status"),
        DoctorCheck(
            "verification",
            lambda: _check_verification(wanted, git, can_run),
            "to see the verification command, run: git land --dry-run",
        ),
        DoctorCheck(
            "remote", lambda: _check_remote(wanted, git), "to see the error, run: git ls-remote", ExitCode.PUSH_FAILED
        ),
    )


def _verify_choice(config: Config) -> VerifyCommand | DetectVerification:
    return VerifyCommand(config.verify, config.source("verify")) if config.verify else DetectVerification()


def _check_version(git: Repository) -> Iterator[Finding]:
    text = git.location.version()
    if git.location.version_tuple() < MIN_VERSION:
        oldest = ".".join(map(str, MIN_VERSION))
        yield make_problem("git", f"git {text} is older than {oldest}", f"install git {oldest} or newer")
    else:
        yield Finding("git", FindingStatus.OK, f"git {text}")
    who = git.location.identity()
    if who:
        yield Finding("identity", FindingStatus.OK, who)
    else:
        hint = 'run git config --global user.name "YOUR NAME"; git config --global user.email YOU@EXAMPLE.ORG'
        yield make_problem("identity", "no user name or email is set, so git cannot create a merge commit", hint)


def _check_worktree(wanted: LandRequest, git: Repository, filters: tuple[str, ...]) -> Iterator[Finding]:
    """Yield the preconditions of a landing that are not met, with the messages of git land."""
    facts, _ = collect_facts(wanted, git, "")
    if filters and facts.changes:
        evidence = (
            f"cannot check for changes: this needs the repository's filters ({join_names(filters)}), which are not run"
        )
        yield Finding("working tree", FindingStatus.WARNING, evidence, "to check for changes, run: git status")
        facts = facts._replace(changes=())
    of_the_tree = {problem.message for problem in unmet_preconditions(facts._replace(can_be_verified=True))}
    for problem in unmet_preconditions(facts):
        name = "working tree" if problem.message in of_the_tree else "verification"
        yield from_error(name, problem, exit_=ExitCode.REFUSED)
    if not of_the_tree:
        yield Finding("working tree", FindingStatus.OK, f"{facts.branch} is clean")


def _check_verification(wanted: LandRequest, git: Repository, can_run: CanRun) -> Iterator[Finding]:
    """Return the verification command, unless there is none: that is a precondition of a landing."""
    chosen, top = wanted.verify, git.location.top_level()
    if isinstance(chosen, DetectVerification):
        found = detect_in(top) if top else None
        if found is None:
            return
        try:
            chosen = choose_candidate(found, can_run)
        except CommandError as problem:
            yield from_error("verification", problem, exit_=problem.exit)
            return
    if top and isinstance(chosen, VerifyCommand):
        yield _verification_finding(chosen, TrustedCommands(git.location.homelab_dir()))


def _verification_finding(chosen: VerifyCommand, trusted: TrustedCommands) -> Finding:
    evidence = f"`{chosen.command}` from {chosen.why}"
    if chosen.why != TRACKED_FILE or chosen.command in trusted:
        return Finding("verification", FindingStatus.OK, evidence)
    not_trusted = f"{evidence} has not been approved"
    return Finding(
        "verification",
        FindingStatus.WARNING,
        not_trusted,
        "to approve the command, run git land in a terminal; or run git config homelab.verify COMMAND",
    )


def _check_remote(wanted: LandRequest, git: Repository) -> Iterator[Finding]:
    if git.location.top_level() is None:
        return
    try:
        name = resolve_remote(wanted, git)
    except CommandError as problem:
        yield from_error("remote", problem, exit_=problem.exit)
        return
    url = next(iter(git.remotes.push_urls(name)), name)
    where = remotes.parse_remote_url(url)
    known = f" ({where.full_name if isinstance(where, RepoAddress) else where.reason})"
    asked = Found(wanted.onto) if wanted.onto else git.remotes.head_branch(name)
    if not isinstance(asked, Found):
        yield _no_target(name, url, asked)
        return
    target = asked.value
    if target == git.history.current_branch() and not wanted.onto:  # with --onto, the working tree check reports it
        hint = "switch to a topic branch: git switch -c TOPIC"
        yield make_problem("target", f"{target} is the target branch itself", hint)
    match git.remotes.ls_remote_branch(url, target):
        case Found():
            yield Finding(
                "remote", FindingStatus.OK, f"{name}: {remotes.format_remote_url(url)}{known}, target branch {target}"
            )
        case NotFound():
            yield make_problem("target", f"{name} has no branch {target}", "pass another branch with --onto BRANCH")
        case other:
            yield _unreachable(name, url, other.reason)


def _no_target(name: str, url: str, asked: NotFound | Unavailable) -> Finding:
    """Return the finding if the target is unknown: the remote has no HEAD branch, or cannot be reached."""
    if isinstance(asked, Unavailable):
        return _unreachable(name, url, asked.reason)
    what = f"could not determine the target branch: {name} has no HEAD branch"
    return make_problem("target", what, no_head_branch_hint(name))


def _unreachable(name: str, url: str, reason: str) -> Finding:
    evidence = f"{remotes.format_remote_url(url)}: {reason}"
    return Finding(
        "remote",
        FindingStatus.PROBLEM,
        evidence,
        f"to see the error, run: git ls-remote {shlex.quote(remotes.format_remote_url(name))}",
        ExitCode.PUSH_FAILED,
    )
