"""One watch of a push, from its record to its last word: in the foreground, or left behind."""

from __future__ import annotations

import contextlib
import os
from argparse import Namespace
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from homelab_hooks.cli.post_push import PostPush
from homelab_hooks.cli.session import Session
from homelab_hooks.config import Config
from homelab_hooks.errors import Problem
from homelab_hooks.events import Level, Log, Start
from homelab_hooks.exits import Exit
from homelab_hooks.git.reader import Reader
from homelab_hooks.hooks import landed, notice
from homelab_hooks.hooks.gate import is_target
from homelab_hooks.hooks.records import Record, State, Store, ended
from homelab_hooks.hooks.ticket import Ticket
from homelab_hooks.land.request import Landed
from homelab_hooks.proc import ancestry, expire
from homelab_hooks.remote import shown
from homelab_hooks.verdict import Verdict

MARGIN = 600.0
"""seconds beyond all timeouts after which a waiter ends whatever happens; a push may take from them"""
LOG = 256 * 1024
"""characters of progress in a log, at most"""


def left_behind(session: Session, ticket: Ticket) -> int:
    """What a waiter does: see whether the push landed, watch if it did, write down and tell how it ended."""
    session.world.terminal.at_most(LOG)
    session.world.move(Path(ticket.directory))
    vigil = Vigil(session, ticket)
    code = session.guard(vigil.waits)
    vigil.end(notifies=True)
    return code


def in_sight(session: Session, ticket: Ticket, config: Config) -> int:
    """The same for a push that has landed, with somebody who looks on; nothing where it is watched already."""
    vigil = Vigil(session, ticket)
    code = session.guard(lambda: vigil.watches(config, State.WATCHING))
    vigil.end(notifies=False)
    return code


class Vigil:
    """A watch of one push; `end` is called however it ended."""

    def __init__(self, session: Session, ticket: Ticket) -> None:
        self._session = session
        self._ticket = ticket
        self._store: Store | None = None
        self._record: Record | None = None
        self._config: Config | None = None

    def _stage(self, config: Config) -> PostPush:
        given = Namespace(**self._ticket.options)
        return PostPush(config, self._session, given, watching=True, deploying=True)

    @property
    def _git(self) -> Reader:
        return self._session.world.git

    def waits(self) -> int:
        """Wait for the push if it goes on, then watch."""
        config = self._session.config(Namespace(**{**self._ticket.options, "output": "plain"}))
        expire(_most(config))
        return self.watches(config, State.PUSHING if self._ticket.push else State.WATCHING)

    def watches(self, config: Config, state: State) -> int:
        """Watch, as the only one who does; a watch that only waits for this push's end is taken over."""
        world, ticket = self._session.world, self._ticket
        common = self._git.common_dir()
        if common is None:
            raise Problem("this is no git repository", hint="it may have been removed since the push")
        now = world.clock.wall()
        record = Record(
            sha=ticket.sha, branch=ticket.branch, remote=shown(ticket.remote), process=os.getpid(),
            host=os.uname().nodename, began=now, until=now + _most(config), state=state, log=ticket.log,
            landed=True if ticket.push is None else None,
        )  # fmt: skip
        store = Store(common)
        over = frozenset({State.PUSHING}) if state is State.WATCHING else frozenset[State]()
        if not self._written(lambda: store.claim(record, over=over)):
            return 0
        self._store, self._record, self._config = store, record, config
        world.move(common)
        return self._watch(config) if self._landed(config) else int(Exit.OK)

    def end(self, *, notifies: bool) -> None:
        """Write down how it ended, and tell who is to be told; of a push that did not land git itself has told."""
        session, record, store = self._session, self._record, self._store
        if record is None or store is None or self._config is None or session.result is None:
            return
        done = ended(record, result=notice.facts(session.result, session.world), now=session.world.clock.wall())
        if self._written(lambda: store.keep(done)) and notifies and record.landed is not False:
            shell = self._ticket.shell
            notice.notify(session.result, session.world, self._config, shell=shell, tell=session.tell)

    def _landed(self, config: Config) -> bool:
        """Whether there is something to watch; the record says so too."""
        ticket, session = self._ticket, self._session
        assert self._record is not None  # noqa: S101 - claimed
        assert self._store is not None  # noqa: S101 - the same
        if ticket.push is not None:
            landed.wait_for(ticket.push, there=ancestry.still_there, clock=session.world.clock)
            answer = landed.landed(self._git, ticket)
            store, record = self._store, replace(self._record, landed=answer, state=State.WATCHING)
            self._record = record
            if not self._written(lambda: store.keep(record)):
                self._record = None  # somebody took over, who watches in the foreground
                return False
            if answer is not True:
                session.finish(_not_seen(ticket, answer, again=self._stage(config).again(ticket.sha)))
                return False
        if not is_target(ticket.branch, ticket.remote, config, self._git):
            with contextlib.suppress(OSError):
                self._store.forget(self._record)
            self._record = None
            return False
        return True

    def _written(self, keep: Callable[[], bool]) -> bool:
        """What is written down is for others; where the disk refuses it, the watch goes on as if it were."""
        try:
            return keep()
        except OSError as error:
            text = f"this watch is not written down: {error}"
            self._session.tell(Log(source="homelab", text=text, level=Level.WARNING))
            return True

    def _watch(self, config: Config) -> int:
        session, ticket = self._session, self._ticket
        server = session.world.server(config)
        stage = self._stage(config)
        session.tell(Start(command="git push", sha=ticket.sha, server=str(server), resume=stage.again(ticket.sha)))
        url = next(iter(self._git.push_urls(ticket.remote)), ticket.remote)
        there = Landed(sha=ticket.sha, branch=ticket.branch, remote=ticket.remote, push_url=url)
        return session.finish(stage.run(there))


def _not_seen(ticket: Ticket, answer: bool | None, *, again: str) -> Verdict:  # noqa: FBT001 - a fact of three values
    if answer is False:
        return Verdict(exit=Exit.OK, word="nothing", sha=ticket.sha, reason="the push did not land: nothing to watch")
    return Verdict(
        exit=Exit.UNREACHABLE,
        sha=ticket.sha,
        reason=f"it is unknown whether the push to {ticket.branch} landed: {shown(ticket.remote)} does not answer",
        hint=f"if it did: {again}",
    )


def _most(config: Config) -> float:
    """Seconds after which a watch has ended for certain."""
    return config.timeout + (config.rollout_timeout if config.deploy else 0.0) + MARGIN
