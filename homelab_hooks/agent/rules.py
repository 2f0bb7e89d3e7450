"""Chooses the command lines that a coding agent may run without asking, by the tiers of commands and options."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from homelab_hooks.agent.model import CommandFact

SLICE_TIMEOUT = "45s"
"""the --timeout of the calls that a skill recommends: tool calls end after one to ten minutes"""


SLICED_COMMANDS = (("follow",),)
"""the commands whose --timeout bounds the call, while a background watcher continues"""


def list_exact_commands(facts: Sequence[CommandFact]) -> tuple[str, ...]:
    """Return the command lines of read commands with options of tier read only, as they are typed.

    Each is complete: a client that compares whole command lines admits no other option, quoted or not.

    >>> from homelab_hooks.agent.model import OptionFact
    >>> options = (OptionFact("--output", "read", True), OptionFact("--server", "write", True))
    >>> list_exact_commands([CommandFact(("doctor",), "", "read", "", options)])
    ('homelab doctor', 'homelab doctor --output json')
    """
    lines = (line for fact in facts if fact.tier == "read" for line in _lines_of(fact))
    return tuple(dict.fromkeys(lines))


def _lines_of(fact: CommandFact) -> Iterator[str]:
    if fact.needs_argument:
        return
    names = {option.name for option in fact.options if option.tier == "read"}
    flags = [[option.name] for option in fact.options if option.tier == "read" and not option.takes_value]
    slices = [["--timeout", SLICE_TIMEOUT]] if "--timeout" in names and fact.words in SLICED_COMMANDS else []
    formats = [[], ["--output", "json"]] if "--output" in names else [[]]
    for base in (("homelab", *fact.words), *([(fact.alias,)] if fact.alias else [])):
        for choice in fact.choices or ("",):
            for given in ([], *flags, *slices):
                for output in formats:
                    yield shlex.join([*base, *([choice] if choice else []), *given, *output])


def list_safe_prefixes(facts: Sequence[CommandFact]) -> tuple[tuple[str, ...], ...]:
    """Return the read commands that no option directs elsewhere, so that anything may follow their words.

    >>> list_safe_prefixes([CommandFact(("manifest",), "", "read", "")])
    (('homelab', 'manifest'),)
    """
    return tuple(
        ("homelab", *fact.words)
        for fact in facts
        if fact.tier == "read" and all(option.tier == "read" for option in fact.options)
    )
