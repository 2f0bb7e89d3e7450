"""Check of the settings: malformed or misspelled ones, and those that a tracked file may not set."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from homelab_hooks.cli.commands.doctor.parallel import from_error
from homelab_hooks.config.resolve import Config
from homelab_hooks.errors import CommandError
from homelab_hooks.events import Finding, FindingStatus
from homelab_hooks.exit_codes import ExitCode


def check_settings(config: Config, problems: Sequence[CommandError]) -> Iterator[Finding]:
    """Yield what is wrong with the settings; if nothing is, where the effective ones come from."""
    for problem in problems:
        yield from_error("settings", problem, exit_=ExitCode.USAGE)
    for warning in config.warnings:
        yield Finding("settings", FindingStatus.WARNING, warning.text, warning.remedy)
    if not problems and not config.warnings:
        chosen = [value for value in config.values if value.source != "default"]
        sources = sorted({value.source.partition(" ")[0] for value in chosen})
        evidence = f"{len(chosen)} set, from {', '.join(sources)}" if chosen else "none set (see homelab config)"
        yield Finding("settings", FindingStatus.OK, evidence)
