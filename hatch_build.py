"""Generate man pages and shell completions from the argument parsers when a wheel is built.

Completions are generated at build time so that completing a word does not start Python.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import shtab
from argparse_manpage.manpage import Manpage
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).parent
sys.path.insert(0, str(ROOT))

from homelab_hooks import __version__  # noqa: E402 - the package is found in the source tree
from homelab_hooks.cli.command_exit_codes import list_exit_codes  # noqa: E402 - as above
from homelab_hooks.cli.commands.completion import PLACES  # noqa: E402 - as above
from homelab_hooks.cli.examples import EXAMPLES  # noqa: E402 - as above
from homelab_hooks.cli.main import build_parser  # noqa: E402 - as above
from homelab_hooks.cli.verbs import COMMANDS, GROUPS, Command  # noqa: E402 - as above
from homelab_hooks.config.image_proof import ProofKind  # noqa: E402 - as above
from homelab_hooks.config.link_spec import LinkKind  # noqa: E402 - as above
from homelab_hooks.config.schema import SETTINGS  # noqa: E402 - as above
from homelab_hooks.demo.scenarios import SCENARIOS  # noqa: E402 - as above
from homelab_hooks.exit_codes import EXIT_MEANINGS  # noqa: E402 - as above
from homelab_hooks.kubectl.model import WorkloadKind  # noqa: E402 - as above

OUTPUT = ROOT / "build" / "manuals"
# Shells expand completion candidates: a branch named `$(command)` must not be offered.
_REFS = "git for-each-ref --format='%(refname:short)' {} 2>/dev/null | grep -xE '[A-Za-z0-9][A-Za-z0-9._/@+-]*'"
_SAFE = " 2>/dev/null | grep -xE '[A-Za-z0-9][A-Za-z0-9._/:@+-]*'"
_CONFIGURED_TARGETS = f"git config --get-all homelab.deploy{_SAFE}"
_TOPICS = f"git worktree list --porcelain 2>/dev/null | sed -n 's,^worktree .*/[.]worktrees/,,p'{_SAFE}"
_KINDS = " ".join(sorted(kind.value for kind in WorkloadKind))
_TARGETS_IN_BASH = f"""
_homelab_targets() {{
  local found kind
  found=$({_CONFIGURED_TARGETS})
  if [[ $1 =~ ^[a-z0-9-]+/[a-z]*$ ]]; then
    for kind in {_KINDS}; do found+=" ${{1%%/*}}/$kind/"; done
  fi
  compgen -W "$found" -- "$1"
}}"""
"""completes a target: one that is configured or, after NAMESPACE/, the kind of a workload"""
COMPLETES = {
    "COMMIT": shtab.cmd(_REFS.format("refs/heads refs/tags")),
    "BRANCH": shtab.cmd(_REFS.format("refs/heads")),
    "PATH": shtab.FILE,
    "TARGET": {
        **shtab.cmd(_CONFIGURED_TARGETS), "bash": "_homelab_targets", "preamble": {"bash": _TARGETS_IN_BASH},
    },
}  # fmt: skip
"""the completion of each metavar"""
COMPLETES_OPTION = {
    "--remote": shtab.cmd(f"git remote{_SAFE}"),
    "--context": shtab.cmd(f"kubectl config get-contexts -o name{_SAFE}"),
}
"""the completion of options whose metavar says too little"""
EVENTS = ("push", "pull_request", "tag", "release", "deployment", "manual", "cron")
CHOICES = {
    "EVENT": EVENTS,
    "SCENARIO": tuple(SCENARIOS),
    "LINK": tuple(kind if kind in {LinkKind.CI, LinkKind.ACTIONS} else f"{kind}:" for kind in LinkKind),
    "PROOF": tuple(
        {ProofKind.ANNOTATION: "annotation:", ProofKind.LABEL: "label:", ProofKind.ENV: "env:",
         ProofKind.DIGEST: "digest:sha256:", ProofKind.LIVE: "live:"}.get(kind, str(kind))
        for kind in ProofKind
    ),
}  # fmt: skip
"""the values, or how they begin, of each metavar"""
GIT_LAND = {
    "bash": """
# complete `git land` from git's own completion
_git_land() {
  local begin=$((__git_cmd_idx)) words=("${COMP_WORDS[@]}")
  COMP_WORDS=(git-land "${words[@]:begin + 1}")
  COMP_CWORD=$((COMP_CWORD - begin))
  _shtab_git_land
}
""",
    "zsh": """
# complete `git land` from git's own completion; a file of this name in fpath already does
if [[ $zsh_eval_context[-1] == eval ]]; then
  _git-land() { _shtab_git_land "$@" }
  () {
    local -a commands
    zstyle -g commands ':completion:*:*:git:*' user-commands
    (( $commands[(I)land(|:*)] )) ||
      zstyle ':completion:*:*:git:*' user-commands $commands 'land:SUMMARY'
  }
fi
""",
    "fish": """
# complete `git land`; the completions for git in fish 3.6.0 leave out programs named git-*
function __homelab_git_land
  set -l words (commandline -opc)
  set -l place (contains -i -- land $words); or return
  set -e words[1..$place]
  set -l typed (string escape -- $words)
  complete -C "git-land $typed "(commandline -ct)
end
function __homelab_git -a condition
  functions -q $condition; and $condition $argv[2..]
end
complete -c git -n '__homelab_git __fish_git_needs_command' -a land -d 'SUMMARY'
complete -c git -f -n '__homelab_git __fish_git_using_command land' -a '(__homelab_git_land)'
""",
}
"""what makes the script of git-land complete `git land`, by the shell"""


class Manuals(BuildHookInterface[Any]):
    """Adds the man pages and completions to the wheel's data, where `man` and the shells find them."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Generate the files before a wheel is built."""
        del version
        if self.target_name != "wheel":
            return
        for place, text in manuals():
            path = OUTPUT / place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            build_data["shared_data"][str(path)] = place


def manuals() -> Iterator[tuple[str, str]]:
    """Yield each file: its path relative to the prefix, and its text."""
    # Reproducible: the date is SOURCE_DATE_EPOCH, and the width does not depend on the terminal.
    os.environ["COLUMNS"] = "100"
    os.environ.setdefault("SOURCE_DATE_EPOCH", "1767225600")
    for parser, commands in (*_programs(completes=False), *_groups()):
        yield f"share/man/man1/{parser.prog.replace(' ', '-')}.1", page(parser, commands)
    for parser, _ in _programs(completes=True):
        _set_completions(parser)
        for shell, place in PLACES.items():
            yield place.format(parser.prog), shtab.complete(parser, shell) + _complete_git_land(parser.prog, shell)


def _complete_git_land(program: str, shell: str) -> str:
    """Return what the script of a program needs to complete `git land` too."""
    if program != "git-land":
        return ""
    summary = next(command.summary for command in COMMANDS if command.alias == "git land")
    return GIT_LAND[shell].replace("SUMMARY", summary)


def _programs(*, completes: bool) -> Iterator[tuple[argparse.ArgumentParser, list[Command]]]:
    """Yield each program's parser and its commands.

    Args:
        completes: for completions: with the commands of the groups, and their summaries as descriptions.
    """
    yield _homelab(completes=completes), [each for each in COMMANDS if completes or len(each.words) == 1]
    for command in COMMANDS:
        if command.alias:
            parser = build_parser(command, command.alias.replace(" ", "-"))[1]
            parser.add_argument("--version", action="store_true", help="show the version")
            yield parser, [command]


def _groups() -> Iterator[tuple[argparse.ArgumentParser, list[Command]]]:
    """Yield the parser of each group of commands and its commands: each has a man page."""
    for group in filter(None, GROUPS):
        commands = [each for each in COMMANDS if each.words[0] == group and not each.hidden]
        parser = argparse.ArgumentParser(prog=f"homelab {group}", description=GROUPS[group])
        subcommands = parser.add_subparsers(title="commands", metavar="COMMAND")
        for command in commands:
            _add_command(subcommands, command, completes=False)
        yield parser, commands


def _homelab(*, completes: bool) -> argparse.ArgumentParser:
    """Return the parser of `homelab`."""
    parser = argparse.ArgumentParser(prog="homelab", description=GROUPS[""])
    parser.add_argument("--version", action="store_true", help="show the version")
    subcommands = parser.add_subparsers(title="commands", metavar="COMMAND")
    groups: dict[str, Any] = {}
    for command in COMMANDS:
        if command.hidden:
            continue
        group = command.words[0] if len(command.words) > 1 else ""
        if group and group not in groups:
            text = GROUPS[group] if completes else f"{GROUPS[group]} See homelab-{group}(1)."
            usage = f"homelab {group} COMMAND ..."
            inner = subcommands.add_parser(group, help=text, description=text, usage=usage, add_help=completes)
            groups[group] = inner.add_subparsers(title="commands", metavar="COMMAND") if completes else None
        if parent := groups[group] if group else subcommands:
            _add_command(parent, command, completes=completes)
    return parser


def _add_command(subcommands: Any, command: Command, *, completes: bool) -> None:
    """Add a command to the commands of its parser."""
    prog = " ".join(("homelab", *command.words))
    model = build_parser(command, prog)[1]
    model.add_help = False
    places = [action for action in model._actions if not action.option_strings]  # noqa: SLF001 - argparse has no public way to list them
    usage = " ".join([prog, "[OPTION ...]", *(_usage_of(action) for action in places)])
    subcommands.add_parser(
        command.words[-1],
        help=command.summary,
        description=command.summary if completes else model.description,
        usage=usage,
        parents=[model],
        conflict_handler="resolve",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def _usage_of(action: argparse.Action) -> str:
    """Return a positional argument as it stands in a synopsis.

    >>> parser = argparse.ArgumentParser()
    >>> _usage_of(parser.add_argument("target", metavar="TARGET", nargs="*"))
    '[TARGET ...]'
    """
    name = str(action.metavar or action.dest)
    return {"?": f"[{name}]", "*": f"[{name} ...]"}.get(str(action.nargs), name)


def _set_completions(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Set the completion of each argument by its option or metavar, and return the parser."""
    for action in parser._actions:  # noqa: SLF001 - argparse has no public way to list them, and shtab reads them too
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - as above
            for inner in action.choices.values():
                _set_completions(inner)
            continue
        name = str(action.metavar)
        complete = COMPLETES_OPTION.get(action.option_strings[-1]) if action.option_strings else None
        complete = complete or COMPLETES.get(name)
        if name == "TOPIC" and parser.prog.endswith("clean"):
            complete = shtab.cmd(_TOPICS)
        if complete:
            action.complete = complete  # type: ignore[attr-defined]  # the attribute that shtab reads
        elif action.choices is None:
            action.choices = CHOICES.get(name) or (tuple(name.split("|")) if "|" in name else None)
    return parser


def page(parser: argparse.ArgumentParser, commands: list[Command]) -> str:
    """Return the man page of a program and its subcommands."""
    manual = Manpage(
        parser, _data={"project_name": "homelab-hooks", "version": __version__, "manual_title": "Git Manual"}
    )
    manual.prog = parser.prog.replace(" ", "-")
    manual.description = commands[0].summary if len(commands) == 1 else _decapitalize(str(parser.description))
    if parser.prog == "git-land":
        manual.synopsis = ["git land", *manual.synopsis[1:]]
    codes_of_all = {code for command in commands for code in list_exit_codes(command.words)}
    codes = "\n".join(
        f".TP\n.B {int(code)}\n{code.verdict}: {_roff(meaning)}."
        for code, meaning in EXIT_MEANINGS.items()
        if code in codes_of_all
    )
    manual.add_section("exit status", ">", codes)
    manual.add_section("environment", ">", _variables())
    manual.add_section("configuration", ">", _configuration())
    examples = [row for command in commands for row in EXAMPLES.get(command.words, ())]
    manual.add_section("examples", ">", "\n".join(f".TP\n.B {_roff(line)}\n{_roff(what)}." for line, what in examples))
    groups = [f"homelab-{group}" for group in filter(None, GROUPS)]
    others = [name for name in ("homelab", *groups, "homelab-watch", "git-land") if name != manual.prog]
    references = ", ".join(f"\\fB{_roff(name)}\\fR(1)" for name in (*others, "git", "kubectl"))
    manual.add_section("see also", ">", references)
    return str(manual)


def _decapitalize(text: str) -> str:
    return text[:1].lower() + text[1:].rstrip(".")


def _variables() -> str:
    rows = [(name, setting.description) for setting in SETTINGS for name in setting.env]
    rows += [
        ("WOODPECKER_TOKEN, WP_TOKEN", "CI token; default: read from Vault, then from git's credential helpers"),
        ("VAULT_TOKEN", "Vault token; default: ~/.vault-token"),
        ("HOMELAB_NO_WATCH", "1: do not watch CI after a plain git push"),
        ("HOMELAB_ALLOW_HTTP", "1: allow http:// servers on other machines"),
        ("HOMELAB_DEBUG", "1: print a traceback on an internal error"),
        ("NO_COLOR", "disable colors in the live view"),
    ]
    return "\n".join(f".TP\n.B {_roff(name)}\n{_roff(what)}." for name, what in rows)


def _configuration() -> str:
    rows = [(setting.git, setting.description, setting.tracked) for setting in SETTINGS if setting.git]
    head = "Precedence: option, environment, git config, the tracked file \\fB.homelab.toml\\fR, default.\n"
    return head + "\n".join(
        f".TP\n.B {_roff(key)}\n{_roff(what)}." + (f" In .homelab.toml: {_roff(name)}." if name else "")
        for key, what, name in rows
    )


def _roff(text: str) -> str:
    """Return text escaped for a man page."""
    return text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq")
