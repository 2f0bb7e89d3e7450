"""Draws a landing with its exits, and a plain push with hooks, as Mermaid diagrams read from the code."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise

from homelab_hooks.config.schema import SETTINGS
from homelab_hooks.events import Stage
from homelab_hooks.exit_codes import CI_WORST_FIRST, DEPLOY_WORST_FIRST, ExitCode
from homelab_hooks.hooks.install.shims import INSTALLED_HOOKS
from tools.landing_calls import LAND, stage_exits, stage_order

SHIMS = LAND.parent / "hooks" / "install" / "shims"
BY_PUSH = frozenset({"run._propose", "run._merge"})
"""what a direct push leaves out"""
BY_PULL_REQUEST = frozenset({"steps.push_commit", "run._after_push"})
"""what a landing through a pull request leaves out"""
RETRIES = {
    Stage.QUEUE: "another pipeline ran first",
    Stage.PUSH: "the target moved",
    Stage.SUBMIT: "the target moved",
    Stage.CONFIRM: "the push did not arrive",
}
"""the stages after which a landing fetches, merges, and verifies again"""
AFTER_LANDING = {Stage.WATCH: CI_WORST_FIRST, Stage.DEPLOY: DEPLOY_WORST_FIRST}


def landing_states() -> str:
    """Draw the stages of a landing, and how each can end it."""
    direct, proposed = stage_order(cut=BY_PUSH), stage_order(cut=BY_PULL_REQUEST)
    last = direct[-1]
    arrows = dict.fromkeys([*pairwise(direct), *pairwise(proposed)])
    lines = ["stateDiagram-v2", f"[*] --> {direct[0]}"]
    lines += [f"{one} --> {other}{_condition(one, other, direct, proposed)}" for one, other in arrows]
    lines += [f"{stage} --> {Stage.FETCH}: {reason}" for stage, reason in RETRIES.items()]
    lines += [f"{Stage.FETCH} --> [*]: 0 nothing"]
    lines += ["state landed {", *[f"{one} --> {other}" for one, other in pairwise(AFTER_LANDING)], "}"]
    lines += [f"{last} --> {next(iter(AFTER_LANDING))}", f"{[*AFTER_LANDING][-1]} --> [*]: 0"]
    before = {stage: stage_exits()[stage] for stage in Stage if stage in {*direct, *proposed}}
    after = {stage: sorted(set(codes) - {ExitCode.OK}) for stage, codes in AFTER_LANDING.items()}
    for stage, codes in {**before, **after}.items():
        lines += [f'state "{_named(codes)}" as {stage}_exit', f"{stage} --> {stage}_exit"]
    return _fenced(lines)


def _condition(one: Stage, other: Stage, direct: tuple[Stage, ...], proposed: tuple[Stage, ...]) -> str:
    """Say which of the two ways an arrow is on, where they part."""
    on_direct, on_proposed = ((one, other) in pairwise(way) for way in (direct, proposed))
    parts = {one} & {*direct} & {*proposed}
    if on_direct == on_proposed or not parts:
        return ""
    return ": direct push" if on_direct else ": pull request"


def _named(codes: Iterable[ExitCode]) -> str:
    return ", ".join(f"{int(code)} {code.verdict}" for code in codes)


def push_sequence() -> str:
    """Draw what runs during a plain `git push` when the hooks are installed."""
    before, after = INSTALLED_HOOKS
    texts = {name: (SHIMS / name).read_text(encoding="utf-8") for name in INSTALLED_HOOKS}
    one, two = (name.replace("-", "_") for name in INSTALLED_HOOKS)
    note = _one(r'>"\$dir/(homelab/pushing)"', texts[before])
    state = _one(r'^\[ "\$1" = (\w+) \]', texts[after])
    command = _one(r'"\$homelab" (hooks pushed) "\$ref" "\$new"', texts[after])
    questions = re.findall(r"^#   \d\. \w+ +(.+?\?)", texts[after], re.MULTILINE)
    lines = ["sequenceDiagram", "actor you", "participant git"]
    lines += [f"participant {one} as {before}", f"participant {two} as {after}", "participant homelab"]
    lines += ["you->>git: git push", f"git->>{one}: what is about to be updated"]
    lines += [f"{one}->>{one}: write .git/{note}", "git->>git: push, then update the remote-tracking branch"]
    lines += [f"git->>{two}: {state}, OLD NEW REF"]
    lines += [f"{two}->>{two}: {_plain(question)}" for question in questions]
    lines += ["alt every answer is yes", f"{two}->>homelab: homelab {command} REF SHA", *_modes(), "else one is no"]
    lines += [f"{two}-->>git: nothing to do", "end", "git-->>you: exit code of the push"]
    return _fenced(lines)


def _modes() -> list[str]:
    """The values of homelab.postPush that start a watch, and what each does."""
    setting = next(setting for setting in SETTINGS if setting.git == "homelab.postPush")
    does = {"foreground": "watch CI, print the verdict", "background": "start a watcher that notifies you"}
    lines: list[str] = []
    for value, what in does.items():
        setting.parse(value)  # fails if there is no such value
        lines += [f"{'else' if lines else 'alt'} {value}", f"homelab->>homelab: {what}"]
    return [*lines, "end"]


def _plain(question: str) -> str:
    return question.replace("`", "").replace(";", ",").replace("#", "")


def _one(pattern: str, text: str) -> str:
    found = re.search(pattern, text, re.MULTILINE)
    if found is None:
        message = f"a hook no longer contains {pattern}"
        raise ValueError(message)
    return found[1]


def _fenced(lines: Iterable[str]) -> str:
    head, *rest = lines
    return "\n".join(["```mermaid", head, *(f"    {line}" for line in rest), "```"])
