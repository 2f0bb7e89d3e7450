"""The files of Claude Code: permission rules and a hook in its settings, and the skill.

Sources, read in November 2026:

* Settings: https://code.claude.com/docs/en/settings. User: `~/.claude/settings.json`. One project, not for version
  control: `.claude/settings.local.json`. `CLAUDE_CONFIG_DIR` replaces `~/.claude`
  (https://code.claude.com/docs/en/env-vars).
* Permissions: https://code.claude.com/docs/en/permissions. `Bash(npm run build)` matches the exact command. A `*`
  stands for any text, so it would admit every option. A rule cannot exclude an option, because it may be quoted.
* Hooks: https://code.claude.com/docs/en/hooks. A command hook with `asyncRewake` runs in the background and wakes
  Claude on exit code 2, with its stderr; `timeout` is in seconds; `if` is a permission rule that limits when it runs.
* Skills: https://code.claude.com/docs/en/skills. `~/.claude/skills/NAME/SKILL.md`, `.claude/skills/NAME/SKILL.md`.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from homelab_hooks.agent.model import AgentFile, JsonEntry, OwnedFile, SharedFile
from homelab_hooks.agent.skill import SKILL_NAME

WAKE_TIMEOUT_S = 7200
"""seconds after which Claude Code ends the hook; a watcher follows a commit for at most about as long"""
WAKING_COMMANDS = ("git land *", "git push *", "homelab follow *")
"""commands that may leave a background watcher running"""


def list_claude_files(
    folder: Path, *, in_project: bool, commands: Sequence[str], skill: str, program: str
) -> list[AgentFile]:
    """Return the files for Claude Code.

    Args:
        folder: `~/.claude`, or `.claude` of the project.
        commands: the command lines to run without asking.
        program: the path of `homelab`, for the hook.
    """
    settings = folder / ("settings.local.json" if in_project else "settings.json")
    allowed = [JsonEntry(("permissions", "allow"), f"Bash({line})") for line in commands]
    wakes = [
        {
            "type": "command",
            "command": f"{shlex.quote(program)} agent wake",
            "if": f"Bash({line})",
            "asyncRewake": True,
            "timeout": WAKE_TIMEOUT_S,
        }
        for line in WAKING_COMMANDS
    ]
    hook = JsonEntry(("hooks", "PostToolUse"), {"matcher": "Bash", "hooks": wakes})
    return [SharedFile(settings, (*allowed, hook)), OwnedFile(folder / "skills" / SKILL_NAME / "SKILL.md", skill)]
