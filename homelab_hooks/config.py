"""The settings in force: which of the sources wins, and where each value comes from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from homelab_hooks.errors import Problem
from homelab_hooks.server import Dial, Server, on_this_machine
from homelab_hooks.settings import SETTINGS, Output, Setting
from homelab_hooks.text import short, without_user

TRACKED = ".homelab.toml"


class Value(NamedTuple):
    """A setting in force; `source` says where it comes from, `raw` is what stood there."""

    setting: Setting
    value: Any
    raw: str
    source: str
    wrong: str = ""
    """why `value` is not what stood there, in a word"""


class GitEntry(NamedTuple):
    """One entry of git's configuration; later ones win (worktree over local over global over system)."""

    scope: str
    key: str
    value: str


def own_filters(entries: Iterable[GitEntry]) -> tuple[str, ...]:
    """The names of the filters that a repository's own settings define, not the user's.

    >>> own_filters([GitEntry("local", "filter.x.clean", "sed"), GitEntry("global", "filter.lfs.clean", "git-lfs")])
    ('x',)
    """
    keys = [entry.key for entry in entries if entry.scope in {"local", "worktree"} and entry.key.startswith("filter.")]
    return tuple(sorted({key.removeprefix("filter.").rpartition(".")[0] for key in keys}))


class Sources(NamedTuple):
    """Everything that can give a setting."""

    options: Mapping[str, str | Sequence[str] | None] = MappingProxyType({})
    environ: Mapping[str, str] = MappingProxyType({})
    git: tuple[GitEntry, ...] = ()
    tracked: Mapping[str, object] = MappingProxyType({})
    context_server: str = ""
    """the server of woodpecker-cli's current context"""


class Config(NamedTuple):
    """The settings in force."""

    server: Server | None
    dial: Dial | None
    ca_file: Path | None
    repo: str
    remote: str
    onto: str
    verify: str
    deploy: tuple[str, ...]
    timeout: float
    appear_timeout: float
    unreachable_timeout: float
    rollout_timeout: float
    settle: float
    output: Output
    vault_addr: Server | None
    vault_namespace: str
    vault_ca: Path | None
    vault_path: str
    vault_field: str
    vault_dial: Dial | None
    post_push: str
    notify: str
    values: tuple[Value, ...] = ()
    warnings: tuple[str, ...] = ()

    def source(self, name: str) -> str:
        """Where a setting comes from."""
        return next(value.source for value in self.values if value.setting.name == name)


def resolve(sources: Sources) -> Config:
    """The settings in force: option, environment, git config, tracked file, default.

    Raises Problem (usage) that names setting and source of a malformed value.
    """
    config, problems = survey(sources)
    if problems:
        raise problems[0]
    return config


def survey(sources: Sources) -> tuple[Config, tuple[Problem, ...]]:
    """The same with everything that is wrong; a setting that cannot be used counts as unset."""
    problems: list[Problem] = []
    by_name: dict[str, Value] = {}
    for setting in SETTINGS:
        try:
            by_name[setting.name] = _value(setting, sources)
        except Problem as problem:
            problems.append(problem)
            by_name[setting.name] = _unusable(setting, sources, "malformed")
    if sources.environ.get("HOMELAB_ALLOW_HTTP") != "1":
        for name, dial in (("server", "dial"), ("vault_addr", "vault_dial")):
            try:
                _refuse_open_http(by_name[name], by_name[dial])
            except Problem as problem:
                problems.append(problem)
                by_name[name] = _unusable(by_name[name].setting, sources, "refused")
    read = {name: value.value for name, value in by_name.items()}
    warnings = (*_forbidden(sources.tracked), *_unknown(sources.git))
    return Config(**read, values=tuple(by_name.values()), warnings=warnings), tuple(problems)


def _value(setting: Setting, sources: Sources) -> Value:
    for raw, source in _candidates(setting, sources):
        texts = [raw] if isinstance(raw, str) else list(raw)
        try:
            read = [setting.read(text) for text in texts]
        except ValueError as error:
            shown = repr(short(without_user(" ".join(texts)), 80))
            raise Problem(f"{_named(setting)}: {shown} from {source} is malformed", hint=str(error)) from None
        return Value(setting, tuple(read) if setting.many else read[0], " ".join(texts), source)
    return Value(setting, () if setting.many else setting.empty, setting.default_text, "default")


def _unusable(setting: Setting, sources: Sources, wrong: str) -> Value:
    """As if it were not set, with what stood there, as it is shown."""
    unset = _value(setting, Sources())
    try:
        raw, source = next(_candidates(setting, sources))
    except Problem:  # it cannot even be read as a text
        given = sources.options.get(setting.name) is not None
        raw = "" if given else repr(sources.tracked.get(setting.tracked))
        source = f"option {setting.option}" if given else TRACKED
    text = raw if isinstance(raw, str) else " ".join(raw)
    return unset._replace(raw=short(without_user(text), 80), source=source, wrong=wrong)


def _named(setting: Setting) -> str:
    """A setting as a message names it."""
    return setting.option or setting.git or setting.env[0]


def _candidates(setting: Setting, sources: Sources) -> Iterator[tuple[str | Sequence[str], str]]:
    """What each source says, strongest first; an empty one counts as unset."""
    if given := _option(setting, sources.options.get(setting.name)):
        yield given, f"option {setting.option}"
    for name in setting.env:
        if text := sources.environ.get(name, "").strip():
            yield text.split() if setting.many else text, f"environment {name}"
    entries = [entry for entry in sources.git if entry.value.strip() and entry.key.lower() == setting.git.lower()]
    if entries:
        texts = [entry.value for entry in entries] if setting.many else entries[-1].value
        yield texts, f"git config {setting.git} ({entries[-1].scope})"
    if setting.tracked and (tracked := _tracked(setting, sources.tracked)):
        yield tracked, TRACKED
    if setting.name == "server" and sources.context_server:
        yield sources.context_server, "woodpecker-cli's current context"
    if setting.default:
        yield setting.default, "default"


def _option(setting: Setting, given: str | Sequence[str] | None) -> str | Sequence[str] | None:
    texts = [given] if isinstance(given, str) else given or ()
    if not all(text.strip() for text in texts):
        raise Problem(f"{setting.option} is empty", hint="give it a value, or leave it out")
    return given


def _tracked(setting: Setting, tracked: Mapping[str, object]) -> str | list[str] | None:
    raw = tracked.get(setting.tracked)
    texts = raw if setting.many and isinstance(raw, list) else [raw]
    if raw is None or all(isinstance(text, str) and not text.strip() for text in texts):
        return None
    if all(isinstance(text, str) or type(text) is int for text in texts):
        return [str(text) for text in texts] if setting.many else str(raw)
    kind = "a list of texts" if setting.many else "a text"
    raise Problem(f"{_named(setting)}: {setting.tracked} from {TRACKED} is malformed", hint=f"{kind} is expected")


def _forbidden(tracked: Mapping[str, object]) -> tuple[str, ...]:
    """A tracked file may never say where a credential goes; what it may not say is ignored, and named."""
    allowed = {setting.tracked for setting in SETTINGS if setting.tracked}
    return tuple(f"{TRACKED} may not set {key}; it is ignored" for key in tracked if key not in allowed)


def _unknown(entries: tuple[GitEntry, ...]) -> tuple[str, ...]:
    """Keys that look like settings and are none: a misspelt one would be in force in its writer's mind only."""
    known = {setting.git.lower(): setting.git for setting in SETTINGS if setting.git}
    strange = {entry.key: entry.scope for entry in entries if _ours(entry.key) and entry.key.lower() not in known}
    return tuple(f"git config {key} ({scope}) is no setting{_meant(key, known)}" for key, scope in strange.items())


def _ours(key: str) -> bool:
    """Whether a key is `homelab.NAME`; `homelab.SECTION.NAME` may be another tool's."""
    return key.lower().startswith("homelab.") and key.count(".") == 1


def _meant(key: str, known: Mapping[str, str]) -> str:
    from difflib import get_close_matches  # only where something is misspelt

    near = get_close_matches(key.lower(), known, n=1)
    return f"; {known[near[0]]} is one" if near else ""


def _refuse_open_http(address: Value, dial: Value) -> None:
    """A token must not travel in the clear, except on this machine; a dial to another one leaves it."""
    server: Server | None = address.value
    if server is None:
        return
    here = server.loopback and (dial.value is None or on_this_machine(dial.value.address))
    if server.scheme == "http" and not here:
        where = f"{_named(address.setting)}: {server} from {address.source}"
        hint = "use https://, or set HOMELAB_ALLOW_HTTP=1"
        raise Problem(f"{where} would send the token in the clear", hint=hint)
