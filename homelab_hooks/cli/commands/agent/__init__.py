"""Commands that set up a coding agent, and the files that they write, from the manifest."""

from __future__ import annotations

import argparse
import shlex
from typing import Any

from homelab_hooks.agent.model import AgentClient, AgentFile, CommandFact, OptionFact
from homelab_hooks.agent.plan import FileChange
from homelab_hooks.app import agent_setup, options
from homelab_hooks.app.agent_setup import AgentFolders
from homelab_hooks.app.session import Session


def add_client_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that these commands share."""
    parser.add_argument(
        "client",
        metavar="|".join(AgentClient),
        choices=[client.value for client in AgentClient],
        help="the coding agent: claude or codex",
    )
    parser.add_argument(
        "--project", action="store_true", help="in this repository, in files that git ignores (default: for this user)"
    )
    options.add_options(parser, "output")


def add_consent_option(parser: argparse.ArgumentParser) -> None:
    """Add --yes."""
    parser.add_argument("--yes", action="store_true", help="write the files without asking")


def list_facts() -> list[CommandFact]:
    """Return the commands of the manifest that people and agents call."""
    from homelab_hooks.cli.commands.manifest import manifest_document

    return [_read_fact(verb) for verb in manifest_document()["verbs"] if not verb["for_hooks"]]


def _read_fact(verb: dict[str, Any]) -> CommandFact:
    needed = [argument for argument in verb["arguments"] if argument["required"]]
    choices = tuple(needed[0]["choices"]) if len(needed) == 1 else ()
    return CommandFact(
        words=tuple(verb["verb"].split()),
        alias=verb["alias"],
        tier=verb["tier"],
        summary=verb["summary"],
        options=tuple(
            OptionFact(next((name for name in option["names"] if name.startswith("--")), option["names"][0]),
                       option["tier"], takes_value=bool(option["value"]))
            for option in verb["options"]
        ),
        choices=choices,
        needs_argument=bool(needed) and not choices,
    )  # fmt: skip


def list_files(client: AgentClient, folders: AgentFolders, session: Session) -> list[AgentFile]:
    """Return the files of a client as they are to be."""
    from homelab_hooks.agent import rules
    from homelab_hooks.agent.skill import write_skill
    from homelab_hooks.exit_codes import EXIT_MEANINGS

    facts = list_facts()
    skill = write_skill(facts, {int(code): meaning for code, meaning in EXIT_MEANINGS.items()})
    if client is AgentClient.CODEX:
        from homelab_hooks.agent.codex import list_codex_files

        return list_codex_files(folders.config, folders.skills, prefixes=rules.list_safe_prefixes(facts), skill=skill)
    from homelab_hooks.agent.claude import list_claude_files
    from homelab_hooks.hooks.install.discover import find_homelab

    return list_claude_files(
        folders.config,
        in_project=folders.in_project,
        commands=rules.list_exact_commands(facts),
        skill=skill,
        program=find_homelab(session.runtime.environ) or "homelab",
    )


def plan_changes(args: argparse.Namespace, session: Session, planner: agent_setup.Planner) -> list[FileChange]:
    """Return the changes of files that the arguments ask for."""
    session.config(vars(args))
    client = AgentClient(args.client)
    folders = agent_setup.find_folders(client, session, in_project=args.project)
    return agent_setup.plan_files(list_files(client, folders, session), folders, session, planner)


def install_hint(args: argparse.Namespace) -> str:
    """Return the command that installs what these arguments name."""
    return shlex.join(["homelab", "agent", "install", args.client, *(["--project"] if args.project else [])])
