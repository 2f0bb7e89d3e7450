"""Resolves the settings: which source wins, and where each value comes from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from homelab_hooks.config.address import ConnectTo, Dial, ServerUrl, find_dial
from homelab_hooks.config.cleartext import reject_cleartext_http
from homelab_hooks.config.image_proof import ImageProof
from homelab_hooks.config.link_spec import LinkKind, LinkSpec
from homelab_hooks.config.pull_requests import MergeStyle, ProtectedTarget
from homelab_hooks.config.remote_forge import RemoteForge, read_remote_forges
from homelab_hooks.config.schema import SETTINGS, OutputMode, Setting, Strategy, Superseded, WhenBusy
from homelab_hooks.errors import CommandError
from homelab_hooks.text.durations import parse_duration
from homelab_hooks.text.sanitize import truncate_text
from homelab_hooks.text.url_secrets import hide_after_scheme, strip_userinfo

TRACKED_FILE = ".homelab.toml"


class EffectiveSetting(NamedTuple):
    """An effective setting; `source` is where it comes from, `raw` is the text there."""

    setting: Setting
    value: Any
    raw: str
    source: str
    problem: str = ""
    """why `value` is not the value of `raw`, in one word"""


class GitConfigEntry(NamedTuple):
    """An entry of git's configuration; later ones win (worktree over local over global over system)."""

    scope: str
    key: str
    value: str


def find_repository_filters(entries: Iterable[GitConfigEntry]) -> tuple[str, ...]:
    """Return the names of the filters that the repository's own configuration defines, not the user's.

    >>> ours = GitConfigEntry("local", "filter.x.clean", "sed")
    >>> find_repository_filters([ours, GitConfigEntry("global", "filter.lfs.clean", "git-lfs")])
    ('x',)
    """
    keys = [entry.key for entry in entries if entry.scope in {"local", "worktree"} and entry.key.startswith("filter.")]
    return tuple(sorted({key.removeprefix("filter.").rpartition(".")[0] for key in keys}))


class SettingSources(NamedTuple):
    """The sources of settings."""

    options: Mapping[str, str | Sequence[str] | None] = MappingProxyType({})
    environ: Mapping[str, str] = MappingProxyType({})
    git: tuple[GitConfigEntry, ...] = ()
    tracked: Mapping[str, object] = MappingProxyType({})
    woodpecker_cli_server: str = ""
    """the server of woodpecker-cli's current context"""


class SettingWarning(NamedTuple):
    """A setting that is ignored, and what to do; `remedy` is empty if that is not known."""

    text: str
    remedy: str = ""

    def __str__(self) -> str:
        """Return both as one line."""
        return f"{self.text}; {self.remedy}" if self.remedy else self.text


class Config(NamedTuple):
    """The effective settings."""

    server: ServerUrl | None
    dial: Dial | None
    ca_file: Path | None
    repo: str
    remote: str
    onto: str
    strategy: Strategy
    verify: str
    follow: tuple[LinkSpec, ...]
    deploy: tuple[str, ...]
    image_proof: ImageProof
    workflow: tuple[str, ...]
    superseded: Superseded
    when_busy: WhenBusy
    protected: ProtectedTarget
    merge_style: MergeStyle | None
    """None: auto"""
    forge_url: ServerUrl | None
    connect_to: tuple[ConnectTo, ...]
    forge_ca_file: Path | None
    timeout: float
    appear_timeout: float
    unreachable_timeout: float
    rollout_timeout: float
    settle: float
    output: OutputMode
    vault_addr: ServerUrl | None
    vault_namespace: str
    vault_ca: Path | None
    vault_path: str
    vault_field: str
    vault_dial: Dial | None
    post_push: str
    notes: bool
    notify: str
    notify_url: tuple[str, ...]
    notify_after: float | None
    """seconds; None: never"""
    values: tuple[EffectiveSetting, ...] = ()
    warnings: tuple[SettingWarning, ...] = ()
    remote_forges: tuple[RemoteForge, ...] = ()
    """what git config says about the forges of single remotes"""
    allows_http: bool = False
    """tokens may be sent unencrypted to other machines"""
    is_slice: bool = False
    """the timeouts end one call, which another continues: what they cut off is undecided"""

    def source(self, name: str) -> str:
        """Return where a setting comes from."""
        return next(value.source for value in self.values if value.setting.name == name)

    def cut_to(self, seconds: float) -> Config:
        """Return the settings for a wait that a call has this many seconds left for.

        >>> cut = resolve_config(SettingSources()).cut_to(60.0)
        >>> cut.timeout, cut.rollout_timeout, cut.is_slice
        (60.0, 60.0, True)
        """
        left = max(0.0, seconds)
        return self._replace(
            timeout=min(self.timeout, left), rollout_timeout=min(self.rollout_timeout, left), is_slice=True
        )


def resolve_config(sources: SettingSources) -> Config:
    """Resolve the settings. The order of precedence is option, environment, git config, tracked file, default.

    Raises CommandError (usage) with the setting and the source of a malformed value.
    """
    config, problems = resolve_config_leniently(sources)
    if problems:
        raise problems[0]
    return config


def resolve_config_leniently(sources: SettingSources) -> tuple[Config, tuple[CommandError, ...]]:
    """Resolve the settings and return all errors with them; a setting that cannot be used counts as unset."""
    problems: list[CommandError] = []
    by_name: dict[str, EffectiveSetting] = {}
    for setting in SETTINGS:
        try:
            by_name[setting.name] = _resolve_setting(setting, sources)
        except CommandError as problem:
            problem.setting = setting.name
            problems.append(problem)
            by_name[setting.name] = _as_unset(setting, sources, "malformed")
    remote_forges, forge_problems = read_remote_forges(sources.git)
    problems += forge_problems
    allows_http = sources.environ.get("HOMELAB_ALLOW_HTTP") == "1"
    if not allows_http:
        for name, dial in _addresses_with_dials(by_name):
            try:
                _reject_cleartext(by_name[name], dial)
            except CommandError as problem:
                problems.append(problem)
                by_name[name] = _as_unset(by_name[name].setting, sources, "refused")
    parsed = {name: value.value for name, value in by_name.items()}
    warnings = (*_forbidden_key_warnings(sources.tracked), *_unknown_key_warnings(sources.git))
    config = Config(
        **parsed,
        values=tuple(by_name.values()),
        warnings=warnings,
        remote_forges=remote_forges,
        allows_http=allows_http,
    )
    return config, tuple(problems)


def _resolve_setting(setting: Setting, sources: SettingSources) -> EffectiveSetting:
    for raw, source in _candidates(setting, sources):
        texts = [raw] if isinstance(raw, str) else list(raw)
        parsed: list[object] = []
        for text in texts:
            try:
                parsed.append(setting.parse(text))
            except ValueError as error:
                shown = repr(truncate_text(_show_texts(setting, [text]), 80))
                which = f"element {len(parsed) + 1} of {len(texts)} of " if len(texts) > 1 else ""
                where = which + _describe_place(setting, source)
                raise CommandError(f"invalid value {shown} for {where}", hint=str(error)) from None
        if source == TRACKED_FILE:
            _refuse_tracked_commands(parsed)
            _refuse_tracked_url(parsed)
        raw_text = _show_texts(setting, texts) if setting.is_secret else " ".join(texts)
        return EffectiveSetting(setting, tuple(parsed) if setting.is_list else parsed[0], raw_text, source)
    return EffectiveSetting(setting, () if setting.is_list else setting.unset_value, setting.default_label, "default")


def _refuse_tracked_commands(values: Iterable[object]) -> None:
    """Raise CommandError (usage) if the tracked file names a command to run after the push."""
    commands = [value for value in values if isinstance(value, LinkSpec) and value.kind is LinkKind.RUN]
    if commands:
        raise CommandError(
            f"{TRACKED_FILE} sets follow = {truncate_text(str(commands[0]), 80)}: a tracked file cannot name a command",
            hint="remove it from the file, and run git config --add homelab.follow run:COMMAND",
        )


def _refuse_tracked_url(values: Iterable[object]) -> None:
    """Raise CommandError (usage) if the tracked file names a URL to ask for the commit: it may be an internal one."""
    proofs = [value for value in values if isinstance(value, ImageProof) and value.live is not None]
    if proofs:
        raise CommandError(
            f"{TRACKED_FILE} sets image-proof = {truncate_text(str(proofs[0]), 80)}: "
            "a tracked file cannot name the URL to ask",
            hint="remove it from the file, and run git config homelab.imageProof live:URL#PATH",
        )


def _as_unset(setting: Setting, sources: SettingSources, problem: str) -> EffectiveSetting:
    """Return the setting as if it were not set, with the text that was found."""
    unset = _resolve_setting(setting, SettingSources())
    try:
        raw, source = next(_candidates(setting, sources))
    except CommandError:  # the value is not a text
        is_option = sources.options.get(setting.name) is not None
        raw = "" if is_option else repr(sources.tracked.get(setting.tracked))
        source = f"option {setting.option}" if is_option else TRACKED_FILE
    text = _show_texts(setting, [raw] if isinstance(raw, str) else raw)
    return unset._replace(raw=truncate_text(text, 80), source=source, problem=problem)


def _show_texts(setting: Setting, texts: Sequence[str]) -> str:
    """Return the texts of a setting without userinfo; of a secret one, only the schemes."""
    shown = [hide_after_scheme(text) for text in texts] if setting.is_secret else texts
    return strip_userinfo(" ".join(shown))


def _display_name(setting: Setting) -> str:
    """Return the name of a setting in messages."""
    return setting.option or setting.git or setting.env[0]


def _describe_place(setting: Setting, source: str) -> str:
    """Return the name of a setting in the source that sets it, such as "homelab.timeout (git config, local)"."""
    kind, _, name = source.partition(" ")
    match kind:
        case "option":
            return name
        case "environment":
            return f"{name} (environment)"
        case "git":
            key, _, scope = name.removeprefix("config ").partition(" ")
            return f"{key} (git config, {scope.strip('()')})"
        case _ if source == TRACKED_FILE:
            return f"{setting.tracked} in {TRACKED_FILE}"
        case _:
            return f"{_display_name(setting)} ({source})"


def _candidates(setting: Setting, sources: SettingSources) -> Iterator[tuple[str | Sequence[str], str]]:
    """Yield the text of each source and the source's name, in order of precedence; an empty text counts as unset."""
    if value := _checked_option(setting, sources.options.get(setting.name)):
        yield value, f"option {setting.option}"
    for name in setting.env:
        text = sources.environ.get(name, "")
        if text.strip():
            yield _split_variable(text, setting) if setting.is_list else text.strip(), f"environment {name}"
    entries = [entry for entry in sources.git if entry.value.strip() and entry.key.lower() == setting.git.lower()]
    if entries:
        texts = [entry.value for entry in entries] if setting.is_list else entries[-1].value
        yield texts, f"git config {setting.git} ({entries[-1].scope})"
    if setting.tracked and (tracked := _tracked_value(setting, sources.tracked)):
        yield tracked, TRACKED_FILE
    if setting.name == "server" and sources.woodpecker_cli_server:
        yield sources.woodpecker_cli_server, "woodpecker-cli's current context"
    if setting.default:
        yield setting.default, "default"


def _split_variable(text: str, setting: Setting) -> list[str]:
    """Return the elements of a list in a variable."""
    if setting.may_have_spaces and "\n" in text:
        return [line.strip() for line in text.splitlines() if line.strip()]
    return text.split()


def _checked_option(setting: Setting, value: str | Sequence[str] | None) -> str | Sequence[str] | None:
    texts = [value] if isinstance(value, str) else value or ()
    if not all(text.strip() for text in texts):
        raise CommandError(f"{setting.option} is empty", hint="set a value, or omit the option")
    return value


def _tracked_value(setting: Setting, tracked: Mapping[str, object]) -> str | list[str] | None:
    raw = tracked.get(setting.tracked)
    texts = raw if setting.is_list and isinstance(raw, list) else [raw]
    if raw is None or all(isinstance(text, str) and not text.strip() for text in texts):
        return None
    # TOML has integers, and a duration may be one: it counts seconds.
    if all(isinstance(text, str) or (setting.parse is parse_duration and type(text) is int) for text in texts):
        return [str(text) for text in texts] if setting.is_list else str(raw)
    kind = "a list of strings" if setting.is_list else "a string in quotes"
    raise CommandError(
        f"invalid value for {_describe_place(setting, TRACKED_FILE)}", hint=f"expected {kind} for {setting.tracked}"
    )


def _forbidden_key_warnings(tracked: Mapping[str, object]) -> tuple[SettingWarning, ...]:
    """Return a warning for each key that a tracked file may not set: it must not decide where a credential is sent."""
    allowed = {setting.tracked for setting in SETTINGS if setting.tracked}
    return tuple(_forbidden_key_warning(key) for key in tracked if key not in allowed)


def _forbidden_key_warning(key: str) -> SettingWarning:
    ignored = f"ignoring `{key}` in {TRACKED_FILE}"
    setting = next((setting for setting in SETTINGS if setting.name == key.replace("-", "_")), None)
    if setting is None:
        return SettingWarning(f"{ignored}: not a setting", f"remove `{key}` from {TRACKED_FILE}")
    places = [("git config", setting.git), ("the environment", setting.env), ("an option", setting.option)]
    *others, last = [place for place, name in places if name]
    comma = "," if len(others) > 1 else ""
    where = f"{', '.join(others)}{comma} or {last}" if others else last
    remedy = f"remove `{key}` from {TRACKED_FILE}, and run git config {setting.git} VALUE"
    return SettingWarning(f"{ignored}: it can only be set in {where}", remedy)


def _unknown_key_warnings(entries: tuple[GitConfigEntry, ...]) -> tuple[SettingWarning, ...]:
    """Return a warning for each unknown key: a misspelled key would silently have no effect."""
    known = {setting.git.lower(): setting.git for setting in SETTINGS if setting.git}
    unknown = {
        entry.key: entry.scope for entry in entries if _is_homelab_key(entry.key) and entry.key.lower() not in known
    }
    return tuple(
        SettingWarning(f"git config {key} ({scope}) is not a setting", _suggestion(key, known))
        for key, scope in unknown.items()
    )


def _is_homelab_key(key: str) -> bool:
    """Return whether a key is `homelab.NAME`; `homelab.SECTION.NAME` may belong to another tool."""
    return key.lower().startswith("homelab.") and key.count(".") == 1


def _suggestion(key: str, known: Mapping[str, str]) -> str:
    from difflib import get_close_matches  # slow to import, and rarely needed

    closest = get_close_matches(key.lower(), known, n=1)
    return f"did you mean {known[closest[0]]}?" if closest else ""


def _addresses_with_dials(by_name: Mapping[str, EffectiveSetting]) -> tuple[tuple[str, Dial | None], ...]:
    """Return the names of the settings that name a server to which a token is sent, each with the address to dial."""
    forge: ServerUrl | None = by_name["forge_url"].value
    return (
        ("server", by_name["dial"].value),
        ("vault_addr", by_name["vault_dial"].value),
        ("forge_url", find_dial(forge.host, by_name["connect_to"].value) if forge else None),
    )


def _reject_cleartext(address: EffectiveSetting, dial: Dial | None) -> None:
    server: ServerUrl | None = address.value
    if server is not None:
        reject_cleartext_http(server, dial, address.source)
