"""The last lines of a running step stand below it in the live view, where there is room, and go with the step."""

from __future__ import annotations

from homelab_hooks.events import Event, Log, PipelineChanged, StepChanged, WorkflowChanged, format_running_source
from tests.views.scene import SECRETS, SHA, URL
from tests.views.terminal_emulator import Show, TerminalEmulator

COMPILE = format_running_source(141, 3)
RUNNING: tuple[Event, ...] = (
    PipelineChanged(141, "push", "refs/heads/main", "running", url=URL, sha=SHA),
    WorkflowChanged(141, 1, "build", "running"),
    StepChanged(141, "build", 2, "clone", "success", took=2.0),
    StepChanged(141, "build", 3, "compile", "running"),
    StepChanged(141, "build", 4, "test", "pending"),
)
LINES = tuple(Log(COMPILE, f"compiling {number} of 40") for number in range(1, 6))


def test_the_last_lines_of_a_running_step_stand_below_it() -> None:
    """They are not part of the scrollback, and vanish when the step ends."""
    show = Show(TerminalEmulator(80, 24))
    seen = show.tell(*RUNNING, *LINES)
    place = next(place for place, line in enumerate(seen) if "compile " in line)
    assert [line.strip() for line in seen[place + 1 : place + 4]] == [f"│ compiling {n} of 40" for n in (3, 4, 5)]
    assert "test" in seen[place + 4]

    seen = show.tell(StepChanged(141, "build", 3, "compile", "success", took=31.0))
    assert not any("compiling" in line for line in [*seen, *show.emulator.scrolled])
    assert "compiling" not in "".join(show.emulator.stdout)


def test_without_room_the_lines_are_left_out_and_not_counted() -> None:
    """The oldest first: a step is more than what it prints."""
    room = len(Show(TerminalEmulator(80, 24)).tell(*RUNNING))
    for more, shown in ((0, []), (1, [5]), (2, [4, 5]), (9, [3, 4, 5])):
        show = Show(TerminalEmulator(80, room + more))
        text = "\n".join(show.tell(*RUNNING, *LINES))
        assert [n for n in range(1, 6) if f"compiling {n} of" in text] == shown
        assert " more" not in text
        assert "test" in text


def test_a_line_is_cut_and_hides_secrets() -> None:
    """A step may print anything."""
    show = Show(TerminalEmulator(40, 24))
    seen = show.tell(
        *RUNNING, Log(COMPILE, f"token {SECRETS[0]} " + "x" * 200), Log(COMPILE, "\x1b[2J\x1b]0;title\x07ok")
    )
    assert not any(SECRETS[0] in line for line in seen)
    assert max(len(line) for line in seen if "│" in line) < 40
    assert any("ok" in line for line in seen)
    assert any("build" in line for line in seen)
