"""Environment variables for git and for the user's commands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType

MAX_COUNT_DIGITS = 9
"""digits of the number of settings in the environment; git refuses a longer one"""
LOCATION_VARIABLES = ("GIT_DIR", "GIT_WORK_TREE")
PER_CALL_VARIABLES = (
    "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_QUARANTINE_PATH", "GIT_NAMESPACE", "GIT_INTERNAL_SUPER_PREFIX", "GIT_REFLOG_ACTION",
    "GIT_PUSH_OPTION_COUNT", "GIT_LITERAL_PATHSPECS", "GIT_SHALLOW_FILE", "GIT_GRAFT_FILE", "GIT_REPLACE_REF_BASE",
)  # fmt: skip
"""set by git for one call of a hook or an alias; wrong for every other"""

PRE_COMMIT_VARIABLES = (
    "PRE_COMMIT_FROM_REF", "PRE_COMMIT_TO_REF", "PRE_COMMIT_ORIGIN", "PRE_COMMIT_SOURCE", "PRE_COMMIT_REMOTE_NAME",
    "PRE_COMMIT_REMOTE_URL", "PRE_COMMIT_REMOTE_BRANCH", "PRE_COMMIT_LOCAL_BRANCH",
)  # fmt: skip
"""set by pre-commit and prek for one push; wrong for a run of theirs inside it"""

SAFE_CONFIG = {
    "core.fsmonitor": "false",
    "core.alternateRefsCommand": ":",
    "core.askPass": "",
    "log.showSignature": "false",
    "protocol.ext.allow": "never",
}
"""settings for read-only commands: they override the settings that let a repository run a program"""

NO_SETTINGS: Mapping[str, str] = MappingProxyType({})
_OPTIONS_WITH_VALUE = frozenset({"-c", "-C", "--git-dir", "--work-tree", "--namespace", "--config-env"})
"""options before git's subcommand whose value is an argument of its own"""
_EDITING_COMMANDS = frozenset({"merge", "rebase", "commit", "cherry-pick", "revert"})

NO_TRANSLATIONS = "/dev/null"
"""not a directory, so git looks for no translations and calls no setlocale (gettext.c of git, since 2.18)"""

BATCH_SSH = "ssh -oBatchMode=yes"


def git_env(environ: Mapping[str, str], *, interactive: bool) -> dict[str, str]:
    """Return the environment for our own git calls.

    Git's messages are parsed, so they must be English. Git still inherits the user's locale, and only lacks the
    translations: its hooks inherit the locale too, and under LC_ALL=C they would count bytes instead of characters.

    GIT_DIR alone was set by git for a hook. It is dropped, because the directory identifies the same repository.
    Together with GIT_WORK_TREE it was set by the user and is kept.

    >>> sorted(git_env({"GIT_DIR": "/x/.git", "HOME": "/h"}, interactive=True))
    ['GIT_TEXTDOMAINDIR', 'HOME']
    """
    gone = (
        set(PER_CALL_VARIABLES)
        if all(environ.get(name) for name in LOCATION_VARIABLES)
        else {*PER_CALL_VARIABLES, *LOCATION_VARIABLES}
    )
    kept = {name: value for name, value in environ.items() if name not in gone}
    kept |= {"GIT_TEXTDOMAINDIR": NO_TRANSLATIONS}
    if not interactive:
        kept |= {"GIT_TERMINAL_PROMPT": "0", "SSH_ASKPASS_REQUIRE": "never", "GCM_INTERACTIVE": "never"}
    return kept


def subcommand(args: Iterable[str]) -> str:
    """Return git's subcommand; a branch or a remote may be called `push` or `merge` too.

    >>> subcommand(["-c", "a.b=c", "--no-optional-locks", "fetch", "--", "push", "merge"]), subcommand(["--version"])
    ('fetch', '')
    """
    words = iter(args)
    for word in words:
        if word in _OPTIONS_WITH_VALUE:
            next(words, None)
        elif not word.startswith("-"):
            return word
    return ""


def editor_env(args: Iterable[str]) -> dict[str, str]:
    """Return the variables that keep git from starting an editor; none for commands that start none.

    A pre-push hook therefore sees the user's own editor. For a commit without an editor, git sets the same for hooks.

    >>> editor_env(["push", "--", "origin", "main"]), editor_env(["-c", "a.b=c", "merge", "main"])
    ({}, {'GIT_EDITOR': ':', 'GIT_SEQUENCE_EDITOR': ':'})
    """
    return {"GIT_EDITOR": ":", "GIT_SEQUENCE_EDITOR": ":"} if subcommand(args) in _EDITING_COMMANDS else {}


def without_location(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for git in another directory: GIT_DIR and GIT_WORK_TREE name the present one.

    >>> without_location({"GIT_DIR": "/x/.git", "GIT_WORK_TREE": "/x", "HOME": "/h"})
    {'HOME': '/h'}
    """
    return {name: value for name, value in environ.items() if name not in LOCATION_VARIABLES}


def user_command_env(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for the user's commands, without what git or pre-commit set for one call of their own.

    >>> user_command_env({"GIT_DIR": "/x", "GIT_AUTHOR_NAME": "Ann", "PATH": "/bin"})
    {'GIT_AUTHOR_NAME': 'Ann', 'PATH': '/bin'}
    """
    return {
        name: value
        for name, value in environ.items()
        if name not in {*PER_CALL_VARIABLES, *LOCATION_VARIABLES, *PRE_COMMIT_VARIABLES}
    }


def config_env(environ: Mapping[str, str], settings: Mapping[str, str]) -> dict[str, str]:
    """Return GIT_CONFIG_* variables that add settings to the existing ones; unlike `-c`, they are not in the arguments.

    >>> config_env({"GIT_CONFIG_COUNT": "2"}, {"a.b": "c"})
    {'GIT_CONFIG_COUNT': '3', 'GIT_CONFIG_KEY_2': 'a.b', 'GIT_CONFIG_VALUE_2': 'c'}
    """
    told = environ.get("GIT_CONFIG_COUNT", "")
    is_count = told.isascii() and told.isdecimal() and len(told) <= MAX_COUNT_DIGITS
    first = int(told) if is_count else 0
    found = {"GIT_CONFIG_COUNT": str(first + len(settings))} if settings else {}
    for place, (key, value) in enumerate(settings.items(), first):
        found |= {f"GIT_CONFIG_KEY_{place}": key, f"GIT_CONFIG_VALUE_{place}": value}
    return found


def call_env(*, index: Path | None = None, packet_trace: Path | None = None) -> dict[str, str]:
    """Return the variables for one call.

    Args:
        index: used in place of the worktree's own index; None: that one is used.
        packet_trace: the file in which git records the packets of its protocol; None: none are recorded.
    """
    given = {"GIT_INDEX_FILE": index, "GIT_TRACE_PACKET": packet_trace}
    return {name: str(path) for name, path in given.items() if path}


def _disable_filters(names: Iterable[str]) -> dict[str, str]:
    """Return settings that turn these filters off.

    >>> _disable_filters(["x"])
    {'filter.x.clean': '', 'filter.x.smudge': '', 'filter.x.process': '', 'filter.x.required': 'false'}
    """
    kinds = {"clean": "", "smudge": "", "process": "", "required": "false"}
    return {f"filter.{name}.{kind}": value for name in names for kind, value in kinds.items()}


def untrusted_repo_env(
    environ: Mapping[str, str],
    settings: Mapping[str, str] | None,
    *,
    without: Iterable[str] = (),
    own: Mapping[str, str] = NO_SETTINGS,
) -> dict[str, str]:
    """Return the variables for a read-only call of git.

    Args:
        settings: further ones; None: the call contacts no remote, so that a partial clone fetches no missing object.
        without: filters that are not run.
        own: further settings for every call, whether or not it connects to a remote.

    >>> untrusted_repo_env({}, None)["GIT_ALLOW_PROTOCOL"]
    'none'
    """
    alone = {"GIT_ALLOW_PROTOCOL": "none"} if settings is None else {}
    return {**config_env(environ, {**SAFE_CONFIG, **own, **_disable_filters(without), **(settings or {})}), **alone}


def needs_ssh_batch_mode(environ: Mapping[str, str], *, interactive: bool) -> bool:
    """Return whether ssh must run in batch mode: no prompt can be answered, and the user has not set an ssh command."""
    return not interactive and not environ.get("GIT_SSH_COMMAND") and not environ.get("GIT_SSH")
