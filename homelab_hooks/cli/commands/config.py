"""homelab config: show effective settings and their sources.

List every setting with its effective value and its source. For the token, only its source is shown. With options,
the values that they would set are shown.
"""

from __future__ import annotations

import argparse

from homelab_hooks.app import options
from homelab_hooks.app.session import Session
from homelab_hooks.auth.token_variables import CI_TOKEN_VARIABLES, FORGE_TOKEN_VARIABLES
from homelab_hooks.config.resolve import Config
from homelab_hooks.events import Log, LogLevel, SettingShown
from homelab_hooks.text.redaction import Redactor, sanitize_text


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments and options."""
    options.add_options(parser, *options.LAND_OPTIONS, *options.FORGE_OPTIONS)


def run(args: argparse.Namespace, session: Session) -> int:
    """Print the settings."""
    config, problems = session.resolve_leniently(vars(args))
    for warning in config.warnings:
        session.tell(Log(source="homelab", text=str(warning), level=LogLevel.WARNING))
    redact = session.runtime.redact
    rows = [
        *_rows(config, redact),
        *_remote_rows(config, redact),
        ("token", *_token(session, config)),
        ("forge-token", *_forge_token(session)),
    ]
    _print_rows(rows, session, is_error=bool(problems))
    for problem in problems[1:]:
        session.tell(Log(source="homelab", text=f"{problem.message}; {problem.hint}", level=LogLevel.ERROR))
    if problems:
        raise problems[0]
    return session.finish_answer()


def _print_rows(rows: list[tuple[str, str, str]], session: Session, *, is_error: bool) -> None:
    """Print the settings: to stderr after an error, because stdout then carries only the result; as events in JSON."""
    terminal = session.runtime.terminal
    if session.writes_json:
        for name, value, source in rows:
            session.tell(SettingShown(setting=name, value=value, source=source))
        return
    for line in format_table(rows, terminal.columns if terminal.stdout_is_tty else None):
        if is_error:
            terminal.err(line)
        else:
            terminal.out(line)


def format_table(rows: list[tuple[str, str, str]], columns: int | None) -> list[str]:
    """Return the rows as aligned lines; a row that does not fit has its source on a second line.

    >>> format_table([("remote", "origin", "option --remote")], 12)
    ['remote  origin', '        option --remote']
    """
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    lines = []
    for name, value, source in rows:
        line = f"{name:<{widths[0]}}  {value:<{min(widths[1], 60)}}  {source}"
        whole = columns is None or len(line) <= columns
        told = [] if source == "default" else [f"{'':<{widths[0]}}  {source}"]
        lines += [line] if whole else [f"{name:<{widths[0]}}  {value}", *told]
    return lines


def _rows(config: Config, redact: Redactor) -> list[tuple[str, str, str]]:
    """Return the name, value, and source of each setting; a default that is determined later is in parentheses."""
    return [
        (
            value.setting.name.replace("_", "-"),
            sanitize_text(value.raw, redact)
            if value.source != "default" or value.setting.default
            else f"({value.raw})",
            sanitize_text(f"{value.source}: {value.problem}" if value.problem else value.source, redact),
        )
        for value in config.values
    ]


def _remote_rows(config: Config, redact: Redactor) -> list[tuple[str, str, str]]:
    """Return the settings of single remotes' forges."""
    rows = [
        (f"{forge.remote}.{name}", str(value), source)
        for forge in config.remote_forges
        for name, value, source in (
            ("forge-url", forge.url, forge.url_source),
            ("forge-kind", forge.kind, forge.kind_source),
        )
        if value is not None
    ]
    return [(sanitize_text(name, redact), value, sanitize_text(source, redact)) for name, value, source in rows]


def _token(session: Session, config: Config) -> tuple[str, str]:
    """Return whether a variable contains the token, and its source or where it is looked up otherwise."""
    for name in CI_TOKEN_VARIABLES:
        if session.runtime.environ.get(name, "").strip():
            return "(set)", f"environment {name}"
    helpers = "git's credential helpers"
    return "(not set)", f"Vault, then {helpers}" if config.vault_addr else helpers


def _forge_token(session: Session) -> tuple[str, str]:
    """Return whether variables contain a token for the forge; which one is sent depends on the kind of forge."""
    names = [name for name in FORGE_TOKEN_VARIABLES if session.runtime.environ.get(name, "").strip()]
    if names:
        return "(set)", f"environment {', '.join(names)}"
    return "(not set)", "git's credential helpers"
