"""Says what the hooks of a place would do: which are there, whose they are, and what fires when."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from homelab_hooks.config import TRACKED
from homelab_hooks.hooks import shims
from homelab_hooks.hooks.facts import Entry, Facts, Folder, Hook
from homelab_hooks.hooks.owner import Owner
from homelab_hooks.hooks.plan import WITH_SETTINGS


class Aim(NamedTuple):
    """What the settings say about the stage.

    Args:
        target: the branch whose push fires; empty where the remote's HEAD branch decides.
        mode: homelab.postPush; empty for the default.
        post_push: the repository's own hook that `git land` would run.
    """

    target: str = ""
    target_source: str = ""
    mode: str = ""
    post_push: Entry | None = None
    program: str = ""


class Standing(NamedTuple):
    """What is installed, and the lines that say so."""

    installed: bool
    lines: tuple[str, ...]
    hint: str = ""


def standing(facts: Facts, every: Facts | None, aim: Aim) -> Standing:
    """What is there; `every` is what holds for all repositories, beside this one's."""
    lines = [*_places(facts), *_settings(facts), *(_settings(every) if every else ())]
    here = fires(facts) or (every is not None and fires(every))
    lines += _stage(aim) if here else ["a plain git push is followed by nothing"]
    if aim.post_push and aim.post_push.there:
        lines.append(
            f"post-push: {_whose(aim.post_push.owner)}; git land runs it in place of its own watch and deploy wait"
        )
    elif here:
        lines.append("post-push: none; git land watches by itself")
    option = " --global" if facts.scope.option == "--global" else ""
    return Standing(here, tuple(lines), "" if here else f"homelab hooks install{option}")


def fires(facts: Facts) -> bool:
    """Whether the trigger is there, as a file that git runs or in the settings."""
    settings = dict(facts.settings)
    hooks = {hook.name: hook for hook in facts.folder.hooks} if facts.folder else {}
    trigger = hooks.get(shims.TRIGGER)
    named = facts.git >= WITH_SETTINGS and shims.section(shims.TRIGGER) in settings
    return named or bool(trigger and trigger.installed and trigger.installed.executable)


def _places(facts: Facts) -> Iterator[str]:
    folder = facts.folder
    if folder is None:
        return
    yield f"git looks for hooks in {folder.path}" + (f" ({folder.origin})" if folder.origin else "")
    if folder.missing:
        yield folder.missing
    for hook in folder.hooks:
        yield f"{hook.name}: {_hook(hook)}"
    yield from _idle(facts.also)


def _hook(hook: Hook) -> str:
    ours = hook.installed
    yours = f", after the one that was there ({hook.kept.path.name})" if hook.kept.there else ""
    if ours and ours is hook.legacy:
        return f"{hook.entry.owner}'s, which starts ours ({ours.path.name}){yours}"
    if ours:
        gone = known if (known := shims.known(ours.text or "")) and not os.access(known, os.X_OK) else ""
        weak = "" if ours.executable else ", without the execute bit: git does not run it"
        return f"ours{yours}{weak}" + (f"; {gone} is gone: homelab is looked for on PATH only" if gone else "")
    if not hook.entry.there:
        return "none"
    return _whose(hook.entry.owner) + (", and ours is not there" if hook.entry.owner is Owner.USER else "")


def _whose(owner: Owner) -> str:
    return "yours" if owner is Owner.USER else "ours" if owner is Owner.OURS else f"{owner}'s"


def _idle(also: Folder | None) -> Iterator[str]:
    """Ours in a directory where git does not look."""
    for hook in also.hooks if also else ():
        if hook.entry.owner is Owner.OURS:
            yield f"{hook.entry.path}: ours, but git does not look there; homelab hooks uninstall takes it away"


def _settings(facts: Facts) -> Iterator[str]:
    shelved: Mapping[str, str] = dict(facts.shelved)
    for section, _ in facts.settings:
        name = section.removeprefix("homelab-")
        old = "" if facts.git >= WITH_SETTINGS else "; this git is too old to read it"
        gone = "" if name in shelved else f"; {Path(facts.scope.shelf, name)} is gone, so it does nothing"
        yield f"{name}: ours, by git config {facts.scope.option} hook.{section}{old}{gone}"


_MODES = {
    "": "CI is watched in the foreground on a terminal, else in the background (homelab.postPush is not set)",
    "foreground": "CI is watched in the foreground (homelab.postPush)",
    "background": "CI is watched in the background (homelab.postPush)",
    "off": "nothing happens (homelab.postPush is off)",
}


def after(mode: str) -> str:
    """What follows a push of the target, in this homelab.postPush."""
    return _MODES[mode]


def _stage(aim: Aim) -> Iterator[str]:
    branch = f"{aim.target} ({aim.target_source})" if aim.target else "the remote's HEAD branch"
    yield f"after a git push of {branch}: {after(aim.mode)}"
    yield "silent: fetches, other branches, tags, deletions, rehearsals, refused and up-to-date pushes, git land's own"
    if not aim.program:
        yield f"homelab is not on PATH; {TRACKED} and a missing remote HEAD cannot be read without it"
