"""Waits for a person who logs in: a credential plugin of kubectl may open a browser, and print what to do there."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import NamedTuple

from homelab_hooks.kubectl.errors import is_own_line
from homelab_hooks.text.sanitize import strip_control_chars, truncate_text

SHOW_AFTER_S = 2.0
"""seconds after which what a call has printed is shown: before, it is an error, which is shown with the result"""

MAX_WORDS = 200
"""lines of a plugin that are shown; of more, the last one is kept, for the message"""


class CallExpired(Exception):  # noqa: N818 - it ends a call, and is not a fault
    """The time of a call is over."""


class LoginPolicy(NamedTuple):
    """What to do while a credential plugin waits for a login."""

    show: Callable[[str], None]
    """shows a line that the plugin prints"""
    timeout: float
    """seconds that a login may take"""
    now: Callable[[], float]
    deadline: float = inf
    """when the whole wait ends, in seconds of the clock: no login is waited for after that"""


class LoginListener:
    """Follows the messages of one call, and raises CallExpired once its time is over.

    A call that has printed something other than kubectl's own lines and still runs waits for a login. It is given
    the time of a login: ended and started again, it would open another browser window every few seconds.

    Args:
        within: seconds for a call that prints nothing.
    """

    def __init__(self, policy: LoginPolicy, within: float) -> None:
        self._policy, self._within = policy, within
        self._began = policy.now()
        self._shown_count = 0
        self.words: list[str] = []
        """what the plugin has printed, line by line: the first lines, and the last one"""

    def on_line(self, text: str) -> None:
        """Keep a line that is not one of kubectl's own."""
        if text.strip() and not is_own_line(text):
            del self.words[MAX_WORDS:]
            self.words.append(truncate_text(strip_control_chars(text)))

    @property
    def has_waited_for_login(self) -> bool:
        """Return whether the call was given the whole time of a login, after the plugin had printed something."""
        return bool(self.words) and self._policy.now() - self._began >= self._policy.timeout

    def on_wait(self) -> None:
        """Show what the plugin has printed; raise CallExpired if the call, or the login, has taken too long."""
        elapsed = self._policy.now() - self._began
        if elapsed >= SHOW_AFTER_S:
            for line in self.words[self._shown_count : MAX_WORDS]:
                self._policy.show(line)
            self._shown_count = len(self.words)
        login_s = min(self._policy.timeout, self._policy.deadline - self._began)
        if elapsed >= (max(self._within, login_s) if self.words else self._within):
            raise CallExpired
