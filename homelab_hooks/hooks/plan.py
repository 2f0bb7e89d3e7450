"""What installing and removing our hooks means here: facts in; steps and words, or a refusal, out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from homelab_hooks.git.verbs import OLDEST
from homelab_hooks.hooks import shims
from homelab_hooks.hooks.facts import Facts, Folder, Hook, Kind
from homelab_hooks.hooks.owner import Owner

WITH_SETTINGS = (2, 54)
"""git that reads hooks in its settings"""


class Keep(NamedTuple):
    """A hook gets a second name, under which ours will find it; git runs it on until ours is there."""

    path: Path
    as_: Path


class Write(NamedTuple):
    """A shim is written, whole or not at all."""

    path: Path
    text: str


class Restore(NamedTuple):
    """A kept hook takes the place of ours."""

    path: Path
    from_: Path


class Remove(NamedTuple):
    """A file of ours goes."""

    path: Path


class Clear(NamedTuple):
    """A directory of ours goes, where it is empty."""

    path: Path


class Configure(NamedTuple):
    """Git's settings name a hook."""

    option: str
    section: str
    event: str
    command: str


class Unconfigure(NamedTuple):
    """Git's settings forget it."""

    option: str
    section: str


Step = Keep | Write | Restore | Remove | Clear | Configure | Unconfigure


class Plan(NamedTuple):
    """Steps in an order in which each may be the last, and what to tell."""

    steps: tuple[Step, ...]
    said: tuple[str, ...] = ()


class Refuse(NamedTuple):
    """Nothing is changed."""

    reason: str
    remedy: str


def install(facts: Facts, texts: Mapping[str, str]) -> Plan | Refuse:
    """Put our shims in: as files where nobody is in the way, else into git's settings where git reads hooks there."""
    if facts.git < OLDEST:
        return Refuse(f"git {_dotted(facts.git)} is too old for these hooks", "install git 2.36 or newer")
    ways = {name: _way(facts, name) for name in shims.INSTALLED}
    trigger = ways[shims.TRIGGER]
    if isinstance(trigger, Refuse):
        return trigger
    done = [_done(facts, name, way, texts[name]) for name, way in ways.items()]
    steps = [step for more, _ in done for step in more]
    left = [Remove(path) for folder in (facts.folder, facts.also) if folder for path in folder.left]
    return Plan((*left, *steps), tuple(word for _, word in done))


def _done(facts: Facts, name: str, way: Hook | Path | Refuse, text: str) -> tuple[list[Step], str]:
    match way:
        case Hook():
            return _into_folder(way, text)
        case Refuse():
            return [], f"{name}: left alone: {way.reason}; git's reflog tells what a push moved instead"
        case Path():
            return _into_settings(facts, name, way, text)


def _way(facts: Facts, name: str) -> Hook | Path | Refuse:
    """A hook in the directory, a shim on the shelf for git's settings, or why neither."""
    new = facts.git >= WITH_SETTINGS
    if facts.scope.option == "--global" and new:
        return facts.scope.shelf / name
    if facts.folder is None:
        return Refuse(
            f"git {_dotted(facts.git)} has no hooks for all repositories (2.54 has), and no core.hooksPath is set",
            "install them in each repository: homelab hooks install",
        )
    hook = next(hook for hook in facts.folder.hooks if hook.name == name)
    refusal = next(_obstacles(facts, facts.folder, hook), None)
    if refusal is None:
        return hook
    return facts.scope.shelf / name if new and not facts.folder.missing else refusal


def _obstacles(facts: Facts, folder: Folder, hook: Hook) -> Iterator[Refuse]:
    """What stands against a file of ours in the hooks directory, the weightiest first."""
    path, whose = hook.entry.path, hook.entry.owner
    if folder.missing:
        yield Refuse(folder.missing, f"mend it, or unset it: {folder.origin or folder.path}")
    if folder.shared and facts.scope.option != "--global":
        yield Refuse(f"{folder.path} ({folder.origin}) serves every repository", "homelab hooks install --global")
    if hook.installed:
        return
    if hook.tracked or hook.visible:
        state = "is tracked" if hook.tracked else "would be seen by git status"
        names = f"{path.name} and {hook.kept.path.name}" if hook.entry.there else path.name
        remedy = f"let git ignore {names} there, or start {shims.folder() / hook.name} from a hook of your own"
        yield Refuse(f"{path} {state}: that directory is part of the work tree", remedy)
    if hook.entry.kind is Kind.FOLDER:
        yield Refuse(f"{path} is a directory", "move it away")
    if whose.manages:
        yield Refuse(f"{path} belongs to {whose}", f"git 2.54 can have both; or take that hook out with {whose} itself")
    if hook.entry.there and hook.kept.there and not hook.same:
        reason = f"there are two hooks of yours, {path} and {hook.kept.path.name}"
        yield Refuse(reason, "make one of them, under the first name")


def _into_folder(hook: Hook, text: str) -> tuple[list[Step], str]:
    """Ours under the hook's name; behind pre-commit's or prek's where they moved it there."""
    there = hook.installed
    path = there.path if there else hook.entry.path
    word = f"{hook.name}: {path}"
    if there and there is hook.legacy:
        word += f", started by {hook.entry.owner}'s"
    elif hook.kept.there or (hook.entry.there and not there):
        word += f"; the hook that was there runs first ({hook.kept.path.name})"
    if there and there.text == text and there.executable:
        return [], f"{word} (as it was)"
    keep: list[Step] = (
        [Keep(hook.entry.path, hook.kept.path)] if hook.entry.there and not there and not hook.kept.there else []
    )
    return [*keep, Write(path, text)], word


def _into_settings(facts: Facts, name: str, shim: Path, text: str) -> tuple[list[Step], str]:
    section, command = shims.section(name), shims.command(name, shim)
    steps: list[Step] = []
    if dict(facts.shelved).get(name) != text:
        steps.append(Write(shim, text))
    if dict(facts.settings).get(section) != command:
        steps.append(Configure(facts.scope.option, section, name, command))
    word = f"{name}: git config {facts.scope.option} hook.{section}"
    return steps, word if steps else f"{word} (as it was)"


def uninstall(facts: Facts) -> Plan:
    """Take ours out, wherever it is, and put back what was there before."""
    steps: list[Step] = []
    said: list[str] = []
    for section, _ in facts.settings:
        steps.append(Unconfigure(facts.scope.option, section))
        said.append(f"git config {facts.scope.option} hook.{section}: gone")
    for folder in (facts.folder, facts.also):
        if folder is None or (folder.shared and facts.scope.option != "--global"):
            continue
        for hook in folder.hooks:
            more = list(_out(hook))
            steps += [step for step, _ in more]
            said += [word for _, word in more]
        steps += [Remove(path) for path in folder.left]
    steps += [Remove(facts.scope.shelf / name) for name, _ in facts.shelved]
    steps += [Remove(path) for path in facts.notes]
    if steps:
        steps += [Clear(facts.scope.shelf), Clear(facts.scope.shelf.parent)]
    return Plan(tuple(steps), tuple(said))


def _out(hook: Hook) -> Iterator[tuple[Step, str]]:
    """Of one hook: the kept one goes where ours was, also behind another tool's."""
    kept = hook.kept
    for ours in (hook.entry, hook.legacy):
        if ours.owner is Owner.OURS and kept.there:
            yield Restore(ours.path, kept.path), f"{ours.path}: yours again"
            kept = kept._replace(kind=Kind.NOTHING)
        elif ours.owner is Owner.OURS:
            yield Remove(ours.path), f"{ours.path}: gone"
    if kept.there and not hook.entry.there:
        yield Restore(hook.entry.path, kept.path), f"{hook.entry.path}: yours again"
    elif kept.there and hook.same:
        yield Remove(kept.path), f"{hook.entry.path}: yours, as it was"


def _dotted(version: tuple[int, int]) -> str:
    return ".".join(map(str, version))
