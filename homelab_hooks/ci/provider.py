"""The interface of a CI provider: protocols for its calls, and facts about it as data.

To add a provider, write a folder next to `woodpecker/` that implements the protocols and a `Traits`, and add a row to
`ci/providers.py`. Nothing else knows which provider is used: the watch compares `Pipeline` values, and passes
references (`RunRef`, the ids of `Repo` and `Step`) back without looking inside.

Every method takes `within`, the seconds that the answer may take, from its caller; no deadline is remembered. A method
returns a `Poll`: an expected failure is a value, never an exception.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple, Protocol

from homelab_hooks.ci.model import LogLine, Pipeline, QueueInfo, Repo, RunRef, Step
from homelab_hooks.polling.outcome import Denied, Poll

REQUEST_TIMEOUT_S = 15.0
"""seconds for a request that decides; a locked database delays a POST by up to 15 (recording 19-database-locked)"""


class RunFilter(NamedTuple):
    """Selects pipelines of a list. A provider may return others too, but must return all of these."""

    events: frozenset[str] = frozenset()
    """any of these; empty: all"""
    branch: str = ""
    ref: str = ""
    commit: str = ""
    """only pipelines of this commit; empty: of any"""


class RunSource(Protocol):
    """Reads a repository's pipelines."""

    def repository(self, full_name: str, *, within: float) -> Poll[Repo]:
        """Look up a repository by OWNER/NAME; Denied if the provider does not know it."""

    def pipelines(
        self, repo: Repo, *, within: float, page: int = 1, per_page: int = ..., only: RunFilter | None = None
    ) -> Poll[tuple[Pipeline, ...]]:
        """Return a page of the list, newest first; the rows may come without workflows."""

    def pipeline(self, repo: Repo, run: RunRef, *, within: float) -> Poll[Pipeline]:
        """Return one pipeline with its workflows and steps."""


class AccountInfo(Protocol):
    """Reads what the token may do."""

    def user(self, *, within: float) -> Poll[str]:
        """Return the login of the token's owner; Denied if the token is not valid."""

    def can_push(self, repo: Repo, *, within: float) -> Poll[bool]:
        """Return whether the token's owner may push to the repository, and so restart its pipelines."""

    def queue(self, *, within: float) -> Poll[QueueInfo]:
        """Return the state of the job queue; Denied if the token may not see it."""


class LogSource(Protocol):
    """Reads the logs of steps."""

    def log(self, repo: Repo, run: RunRef, step: Step, *, within: float) -> Poll[tuple[LogLine, ...]]:
        """Return the lines of a step's log that have arrived so far, in order."""


class RunControl(Protocol):
    """Starts and cancels pipelines. A start is sent once only: after a lost response, it may have taken effect.

    NotFound means that the provider started nothing, because no workflow's conditions match.
    """

    def restart(self, repo: Repo, run: RunRef, *, within: float) -> Poll[Pipeline]:
        """Run a pipeline again and return the new one."""

    def start(self, repo: Repo, branch: str, *, within: float) -> Poll[Pipeline]:
        """Start a manual pipeline on the tip of a branch and return it."""

    def cancel(self, repo: Repo, run: RunRef, *, within: float) -> Poll[bool]:
        """Cancel a pipeline; return False if the provider had nothing to cancel: it has ended, or not yet begun."""


class StreamNews(NamedTuple):
    """What an event stream reported since the last call of `news`."""

    is_up: bool = False
    """data has come, and not too long ago"""
    changed: bool = False
    """a pipeline of the watch changed"""
    ended: bool = False
    """a pipeline of the watch has ended, or all its steps have"""


class Wakes(Protocol):
    """Listens to a provider's event stream and wakes the watch early. What it reports is never a verdict."""

    def news(self, sha: str, runs: frozenset[RunRef]) -> StreamNews:
        """Return the news about this commit and these pipelines since the last call.

        Afterwards, only events of these pipelines wake the watch.
        """

    def close(self) -> None:
        """Stop listening."""


class LogStream(Protocol):
    """Receives the log of a step while it runs, to be shown. What it receives is never a verdict."""

    def close(self) -> None:
        """Stop receiving: once this has returned, no line is passed on."""


class Trigger(NamedTuple):
    """What a forge sent to CI about a commit, as far as git knows it."""

    event: str
    """as the provider names it: push or tag"""
    refs: tuple[str, ...] = ()
    """full refs; one was pushed; empty if unknown"""
    paths: tuple[str, ...] = ()
    """the files that the pushed commits changed"""
    has_all_paths: bool = False
    """whether `paths` is complete, because git knows what the branch was before the push"""
    message: str = ""


def _decide_nothing(files: Mapping[str, str], trigger: Trigger) -> bool | None:
    """Return None: it is not known whether the conditions match."""
    del files, trigger
    return None


def _assume_dependence(files: Mapping[str, str]) -> str:
    """Return that nothing is known about the configuration."""
    del files
    return "the configuration cannot be evaluated"


class WatchRules(NamedTuple):
    """What a watch does differently for a provider; the defaults are Woodpecker's."""

    lists_by_commit: bool = False
    """the list can be filtered by commit; it is then read to its end in every poll"""
    late_runs_s: float = 0.0
    """seconds after the last change in which another pipeline of the same push may appear"""
    request_interval_s: float = 0.0
    """the least seconds between two polls; with one, running pipelines are not asked for their progress"""
    blocks_late: bool = False
    """a pipeline that was queued or runs may wait for an approval later; otherwise it waits first"""
    passes_skipped: bool = False
    """a skipped pipeline does not matter beside a successful one"""
    needs_workflows: bool = False
    """success counts only if the workflows can be listed"""
    checks_workflows: bool = True
    """a failed workflow makes a successful pipeline a failed one"""
    has_commands: bool = True
    """`homelab ci` works with this provider"""
    rerun_hint: str = "to restart the pipeline, run homelab ci restart"
    """what to do about a pipeline that was cancelled"""
    pending_hint: str = ""
    """what to do about a pipeline that does not begin, for a provider without a queue"""


DEFAULT_RULES = WatchRules()


class Traits(NamedTuple):
    """Facts about a provider."""

    name: str
    """as people write it: "Woodpecker\""""
    deciding_events: tuple[str, ...]
    """the events whose pipelines decide about a commit unless others are named"""
    all_events: tuple[str, ...]
    branch_events: frozenset[str]
    """the events whose pipelines determine a branch's status"""
    started_events: frozenset[str]
    """the events of pipelines that a person or another system starts, and whose variables may name a commit"""
    manual_event: str
    """the event of a pipeline that `RunControl.start` started"""
    config_paths: tuple[str, ...]
    """paths of files and folders; a repository with a pipeline configuration has at least one of them"""
    config_hint: str
    """the path to add a configuration at, in words"""
    skip_marker: re.Pattern[str]
    """what makes the provider skip a push, in a commit message"""
    skipped_event: str
    """the event whose pipelines a marker in the commit's message prevents"""
    max_page_size: int
    """rows of the longest page of the list"""
    health_path: str
    """the path of the health check, which needs no token"""
    healthy_status: int
    """the status of a healthy server at that path"""
    version_header: str
    """in every response of the server itself, in lower case"""
    version_path: str
    token_page: str
    """the path of the web page on which a user creates a token"""
    activate_path: str
    """the path of the web page on which a repository can be activated"""
    webhook_path: str = ""
    """the path at which the server receives the forge's webhooks; empty if it has none"""
    are_all_filtered: Callable[[Mapping[str, str], Trigger], bool | None] = _decide_nothing
    """whether no workflow of a configuration (texts by path) matches the trigger; None if that is not certain"""
    find_dependence: Callable[[Mapping[str, str]], str] = _assume_dependence
    """the first sign that a run depends on the commit before it, in words; empty if a configuration shows none"""
    previous_state_words: tuple[str, ...] = ()
    """what a script uses that compares with the commit before it"""
    rules: WatchRules = DEFAULT_RULES
    absence: tuple[str, str] = ("", "")
    """the usual causes of a missing pipeline, and what to do; empty: a lost webhook"""


class Provider(NamedTuple):
    """A connection to one CI server."""

    runs: RunSource
    account: AccountInfo
    logs: LogSource
    control: RunControl
    traits: Traits
    open_stream: Callable[[Repo], Wakes] | None = None
    """opens the event stream of a repository; None if the provider has no stream"""
    open_log_stream: Callable[[Repo, RunRef, Step, Callable[[LogLine], None]], LogStream] | None = None
    """opens the log of a running step, and passes on each line from another thread; None if there is no such stream"""


def find_skip_marker(message: str, traits: Traits) -> str:
    """Return the marker in a commit message that makes the provider skip a push of the commit; empty if there is none.

    Only the message of the pushed head counts, and only for branches: a pushed tag is not skipped
    (recording 06-skip-markers).
    """
    found = traits.skip_marker.search(message)
    return found.group(0) if found else ""


def find_first_repository(runs: RunSource, names: Iterable[str], *, within: float) -> Poll[Repo]:
    """Return the repository under the first of these names that exists in CI, otherwise the result for the last one.

    A mirrored repository may be in CI under the name that it has on either server.

    Args:
        within: seconds for each request.
    """
    poll: Poll[Repo] = Denied(
        "could not determine the repository's OWNER/NAME in CI", hint="pass --repo OWNER/NAME, or set homelab.ciRepo"
    )
    for name in names:
        poll = runs.repository(name, within=within)
        if not isinstance(poll, Denied) or poll.final:
            break
    return poll
