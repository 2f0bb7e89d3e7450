"""Saves the receipt of a followed commit in the repository's private state, and shows it again."""

from __future__ import annotations

from homelab_hooks.app import resolve_names
from homelab_hooks.app.session import Session
from homelab_hooks.config.resolve import Config
from homelab_hooks.errors import CommandError
from homelab_hooks.events import LinkResult, Log, LogLevel
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.follow.chain import format_wall_time
from homelab_hooks.follow.receipts import Receipt, ReceiptStore, format_note
from homelab_hooks.text.durations import format_duration
from homelab_hooks.text.redaction import sanitize_text
from homelab_hooks.verdict import Verdict

NOTES_REF = "refs/notes/homelab"


def save_receipt(verdict: Verdict, sha: str, config: Config, session: Session) -> None:
    """Save the links of a verdict as the commit's receipt, and as a git note if that is set. A failure is a warning."""
    if not verdict.links:
        return
    runtime = session.runtime
    common = runtime.git_readonly.location.common_dir()
    if common is None:
        return
    redacted = tuple(
        link._replace(
            evidence=sanitize_text(link.evidence, runtime.redact), link=sanitize_text(link.link, runtime.redact)
        )
        for link in verdict.links
    )
    word = verdict.label or verdict.exit.verdict
    receipt = Receipt(sha, word, verdict.exit, format_wall_time(runtime.clock.wall()), redacted)
    try:
        ReceiptStore(common).save(receipt)
    except OSError as error:
        _warn(session, f"could not save the receipt: {error.strerror or error}")
    if config.notes:
        _write_note(receipt, session)


def _write_note(receipt: Receipt, session: Session) -> None:
    """Write the receipt as a note, which is never pushed by homelab."""
    done = session.runtime.git_interactive.notes.replace(NOTES_REF, receipt.sha, format_note(receipt))
    if not done.ok:
        _warn(session, f"could not write a git note for {receipt.sha}: {done.err.strip()}")


def _warn(session: Session, text: str) -> None:
    session.tell(Log(source="homelab", text=text, level=LogLevel.WARNING))


def show_receipt(session: Session, name: str | None) -> Verdict:
    """Print the receipt of a commit, a line for each link; the verdict is `nothing` if there is none.

    Raises:
        CommandError: (usage) the name is not a commit, or this is not a repository.
    """
    runtime = session.runtime
    common, sha = runtime.git_readonly.location.common_dir(), resolve_names.resolve_commit(runtime, name).sha
    if common is None:
        raise CommandError("not a git repository", hint="run this command in the repository")
    receipt = ReceiptStore(common).load(sha)
    if receipt is None:
        return Verdict(exit=ExitCode.OK, label="nothing", sha=sha, reason="there is no receipt for this commit")
    for link in receipt.links:
        session.tell(Log(source="homelab", text=describe_link(link)))
    reason = f"{receipt.verdict} (exit {int(receipt.exit)}) at {receipt.ended}"
    return Verdict(exit=ExitCode.OK, label="ok", sha=sha, reason=reason, links=receipt.links)


def describe_link(link: LinkResult) -> str:
    """Return one line about a link of a receipt.

    >>> describe_link(LinkResult("ci", "passed", ExitCode.OK, "#7 passed", took=61.0))
    'ci: passed, #7 passed [1m01s]'
    >>> describe_link(LinkResult("deploy:web/shop"))
    'deploy:web/shop: did not begin'
    """
    if link.exit is None:
        return f"{link.link}: did not begin"
    took = "" if link.took is None else f" [{format_duration(link.took)}]"
    return f"{link.link}: {link.verdict}" + (f", {link.evidence}" if link.evidence else "") + took
