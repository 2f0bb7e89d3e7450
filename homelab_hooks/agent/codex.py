"""The files of Codex: rules for commands, and the skill.

Sources, read in November 2026:

* Rules: https://developers.openai.com/codex/rules. Every `.rules` file in `~/.codex/rules/` is read, and those in
  `.codex/rules/` of a trusted project. `prefix_rule(pattern, decision)` matches the first words of a command, and
  anything may follow. So a command is allowed only if none of its options is of tier write.
* `CODEX_HOME` replaces `~/.codex`: https://developers.openai.com/codex/environment-variables
* Skills: https://developers.openai.com/codex/skills. `$HOME/.agents/skills/NAME/SKILL.md`, and `.agents/skills` of a
  repository.
* Hooks: https://developers.openai.com/codex/hooks. None runs when a background process ends, so none is written.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from homelab_hooks.agent.model import AgentFile, OwnedFile
from homelab_hooks.agent.skill import MARKER, SKILL_NAME


def list_codex_files(config: Path, skills: Path, *, prefixes: Sequence[Sequence[str]], skill: str) -> list[AgentFile]:
    """Return the files for Codex.

    Args:
        config: `~/.codex`, or `.codex` of the project.
        skills: `~/.agents/skills`, or `.agents/skills` of the project.
        prefixes: the words of each command to run without asking.
    """
    rules = [f"# {MARKER}", *(_format_rule(words) for words in prefixes)]
    return [
        OwnedFile(config / "rules" / "homelab.rules", "\n".join(rules) + "\n"),
        OwnedFile(skills / SKILL_NAME / "SKILL.md", skill),
    ]


def _format_rule(words: Sequence[str]) -> str:
    """Return a rule in Starlark, whose strings are written like JSON's.

    >>> _format_rule(["homelab", "manifest"])
    'prefix_rule(pattern = ["homelab", "manifest"], decision = "allow")'
    """
    return f'prefix_rule(pattern = {json.dumps(list(words))}, decision = "allow")'
