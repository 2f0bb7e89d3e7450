"""Finds the files of a coding agent on this machine, and plans, shows, and makes changes to them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from homelab_hooks.agent.files import InstallReceipts, apply_change, read_state
from homelab_hooks.agent.model import AgentClient, AgentFile, FileState, InstallReceipt
from homelab_hooks.agent.plan import FileChange, FileRefused
from homelab_hooks.app.session import Session
from homelab_hooks.errors import CommandError
from homelab_hooks.events import Log
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.verdict import Verdict

Planner = Callable[[AgentFile, FileState, InstallReceipt | None], FileChange | FileRefused | None]


class AgentFolders(NamedTuple):
    """Where a client's files are."""

    config: Path
    skills: Path
    """of Codex, whose skills are elsewhere"""
    top: Path
    """the home directory, or the top of the repository"""
    in_project: bool


def find_folders(client: AgentClient, session: Session, *, in_project: bool) -> AgentFolders:
    """Return the folders of a client, for this user or in the repository. Raises CommandError outside of one."""
    runtime = session.runtime
    name = f".{client.value}"
    if in_project:
        top = runtime.git_readonly.location.top_level()
        if top is None:
            raise CommandError("not in a git work tree", hint="leave out --project, or cd to a repository")
        return AgentFolders(top / name, top / ".agents" / "skills", top, in_project=True)
    home = runtime.home
    if not home.is_absolute():
        raise CommandError("HOME is not set", hint="set HOME to your home directory")
    variable = {AgentClient.CLAUDE: "CLAUDE_CONFIG_DIR", AgentClient.CODEX: "CODEX_HOME"}[client]
    config = Path(runtime.environ.get(variable) or home / name)
    if not config.is_absolute():
        raise CommandError(f"{variable} is not an absolute path", hint=f"set {variable} to an absolute path")
    return AgentFolders(config, home / ".agents" / "skills", home, in_project=False)


def receipt_store(session: Session) -> InstallReceipts:
    """Return the receipts of this user."""
    runtime = session.runtime
    state = Path(runtime.environ.get("XDG_STATE_HOME") or runtime.home / ".local" / "state")
    return InstallReceipts(state / "homelab-hooks" / "agent")


def plan_files(
    files: Sequence[AgentFile], folders: AgentFolders, session: Session, planner: Planner
) -> list[FileChange]:
    """Return the changes.

    Raises:
        CommandError: (refused) a file cannot be edited, or git would track it.
    """
    changes = []
    for _, planned in inspect_files(files, folders, session, planner):
        match planned:
            case FileRefused(path, reason, remedy):
                hint = f"{remedy}, then run the command again"
                raise CommandError(f"{path} {reason}", hint=hint, exit=ExitCode.REFUSED)
            case FileChange() as change:
                changes.append(change)
            case None:
                pass
    if folders.in_project:
        _require_ignored([change.path for change in changes if change.after is not None], folders.top, session)
    return changes


def inspect_files(
    files: Sequence[AgentFile], folders: AgentFolders, session: Session, planner: Planner
) -> list[tuple[AgentFile, FileChange | FileRefused | None]]:
    """Return each file with what would change in it."""
    store, root = receipt_store(session), folders.top if folders.in_project else None
    return [(file, planner(file, read_state(file.path, root=root), store.load(file.path))) for file in files]


def _require_ignored(paths: Sequence[Path], top: Path, session: Session) -> None:
    """Raise CommandError (refused) for a file that git tracks or would add to a commit."""
    location = session.runtime.git_readonly.location
    if seen := [str(path.relative_to(top)) for path in paths if not location.is_ignored(str(path))]:
        lines = " ".join(f"/{name}" for name in seen)
        raise CommandError(
            f"git does not ignore {', '.join(seen)}",
            hint=f"to ignore them in this clone, run: printf '%s\\n' {lines} >> {location.git_path('info/exclude')}",
            exit=ExitCode.REFUSED,
        )


def show_changes(changes: Sequence[FileChange], session: Session) -> None:
    """Show each file with what is written into it. The user's own lines are not shown: they may contain secrets."""
    for change in changes:
        for line in describe_change(change):
            session.tell(Log(source="homelab", text=line))


def describe_change(change: FileChange) -> list[str]:
    """Return the lines that show a change: each entry of a file of the user's, or the text of a file that is ours."""
    if change.receipt is None:
        return [f"remove {change.path}" if change.after is None else f"restore {change.path}"]
    what = "create" if change.before is None else "change"
    shown = [f"{'.'.join(entry.path)}: {json.dumps(entry.value)}" for entry in change.receipt.entries]
    lines = shown or (change.after or b"").decode("utf-8", "replace").splitlines()
    return [f"{what} {change.path}", *(f"  + {line}" for line in lines)]


def make_changes(changes: Sequence[FileChange], session: Session, *, consent: bool) -> None:
    """Write the files, after a question on a terminal.

    Args:
        consent: given by an option, so that nothing is asked.

    Raises:
        CommandError: (refused) the user declines, or a file cannot be written.
    """
    if not consent and not session.ask("Write these files?"):
        hint = "to write them without a question, run the command with --yes"
        raise CommandError("not confirmed: nothing was written", hint=hint, exit=ExitCode.REFUSED)
    store = receipt_store(session)
    for change in changes:
        try:
            written = apply_change(change, store)
        except OSError as error:
            where = error.filename2 or error.filename or change.path
            hint = "fix the permissions, then run the command again"
            raise CommandError(f"could not write {where}: {error.strerror}", hint=hint, exit=ExitCode.REFUSED) from None
        if not written:
            hint = "run the command again"
            raise CommandError(f"{change.path} was changed meanwhile", hint=hint, exit=ExitCode.REFUSED)


def nothing_to_do(reason: str) -> Verdict:
    """Return the verdict of a command that changes nothing."""
    return Verdict(exit=ExitCode.OK, label="nothing", reason=reason)
