"""The live view on a terminal emulator: what is seen, at every size, and what stays."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings, strategies as st

from homelab_hooks.events import (
    REMOVED_STATUS,
    ChainStarted,
    ContactLost,
    ContactRestored,
    Event,
    Finding,
    FindingStatus,
    Log,
    LogLevel,
    MatrixAxis,
    PipelineChanged,
    Progress,
    Result,
    RolloutChanged,
    Stage,
    StageChanged,
    Start,
    StepChanged,
    Waiting,
    WorkflowChanged,
)
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.views.live.state import LiveState, Timestamp, apply_event
from homelab_hooks.views.plain import format_result_line
from tests.views.scene import EVENTS, SECRETS, SHA, URL
from tests.views.terminal_emulator import Show, TerminalEmulator

GOLDEN = Path(__file__).parent / "golden"
SIZES = [(80, 24), (40, 10)]
COLOR = re.compile(r"\x1b\[[0-9;:]*m")
OUR_OWN = re.compile(r"\x1b\[(?:\?25[lh]|\?7[lh]|\d+A|K|C|J|[0-9;]*m)|[\r\n]|\x1b\]8;(?:;https?://[!-~]+|;)\x1b\\")
LANDING: tuple[Event, ...] = (
    Start("git land", sha=SHA),
    StageChanged(Stage.FETCH, Progress.STARTED),
    StageChanged(Stage.FETCH, Progress.DONE, "origin/main is at 1f2e3d4c", 0.42),
    StageChanged(Stage.VERIFY, Progress.STARTED),
    *(Log("verify", f"test {number} passed") for number in range(1, 8)),
)
PUSHED: tuple[Event, ...] = (
    StageChanged(Stage.VERIFY, Progress.DONE, "make test", 12.3),
    Log("homelab", f"landed {SHA} on main"),
    StageChanged(Stage.WATCH, Progress.STARTED),
    PipelineChanged(141, "push", "refs/heads/main", "pending", url=URL, sha=SHA),
    WorkflowChanged(141, 1, "build", "pending"),
    *(StepChanged(141, "build", pid, name, "pending") for pid, name in ((2, "clone"), (3, "compile"), (4, "test"))),
    WorkflowChanged(141, 5, "publish", "pending"),
    StepChanged(141, "publish", 6, "image", "pending"),
    PipelineChanged(141, "push", "refs/heads/main", "running", url=URL, sha=SHA, started=1795465880, expected=192.0),
    WorkflowChanged(141, 1, "build", "running"),
    StepChanged(141, "build", 2, "clone", "success", took=2.0),
    StepChanged(141, "build", 3, "compile", "running"),
)
ENDED: tuple[Event, ...] = (
    PipelineChanged(141, "push", "refs/heads/main", "failure", url=URL, sha=SHA, started=1795465880),
    StepChanged(141, "build", 3, "compile", "failure", exit_code=2, took=31.0),
    WorkflowChanged(141, 1, "build", "failure", 33.0, "exit code 2"),
    Log("step build/compile", "\x1b[31mmain.c:3: error\x1b[0m"),
    StageChanged(Stage.WATCH, Progress.FAILED, "#141 failed: step compile of workflow build failed", 40.0),
    Result(
        verdict="failed",
        exit=ExitCode.FAILED,
        sha=SHA,
        landed=True,
        reason="#141 failed: step compile of workflow build failed",
        hint="homelab ci logs",
        took=60.0,
    ),
)
CHAIN: tuple[Event, ...] = (
    Log("homelab", f"landed {SHA} on main"),
    ChainStarted(
        ("mirror:github", "actions:github", "deploy:web/shop", "live:https://shop.example.test/version#commit")
    ),
    StageChanged(Stage.MIRROR, Progress.STARTED, link="mirror:github"),
    Waiting("main on github is at 1f2e3d4c5b, 2 commits behind"),
)
MIRRORED: tuple[Event, ...] = (
    StageChanged(Stage.MIRROR, Progress.DONE, "main on github is at 9f2c1a7be0", 3.6, link="mirror:github"),
    StageChanged(Stage.ACTIONS, Progress.STARTED, link="actions:github"),
    PipelineChanged(1, "push", "refs/heads/main", "running", sha=SHA, started=1795465880),
)
BROKEN: tuple[Event, ...] = (
    StageChanged(Stage.ACTIONS, Progress.DONE, "#1 (build.yaml) passed", 71.0, link="actions:github"),
    StageChanged(Stage.DEPLOY, Progress.STARTED, link="deploy:web/shop"),
    StageChanged(Stage.DEPLOY, Progress.FAILED, "web/shop: pods crash", 12.0, link="deploy:web/shop"),
    Result(verdict="rollout-failed", exit=ExitCode.ROLLOUT_FAILED, sha=SHA, reason="web/shop: pods crash", took=90.0),
)


@pytest.fixture(params=SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def show(request: pytest.FixtureRequest) -> Show:
    return Show(TerminalEmulator(*request.param))


def frame(name: str, show: Show) -> list[str]:
    """The screen with a rule around it, so that a golden file shows its size."""
    rule = "+" + "-" * show.emulator.screen.columns + "+"
    return [name, rule, *(f"|{line}|" for line in show.emulator.screen.display), rule, ""]


def golden(name: str, lines: list[str]) -> None:
    """Compare with the golden file; where there is none, write it and fail, so that a person checks it."""
    path, text = GOLDEN / name, "\n".join(lines)
    if not path.exists():
        path.write_text(text, encoding="utf-8")
        pytest.fail(f"{path} was written: look at it")
    assert text == path.read_text(encoding="utf-8")


def test_a_landing_looks_as_the_golden_transcript_has_it(show: Show) -> None:
    show.tell(*LANDING, every=0.5)
    seen = frame("while it verifies", show)
    show.tell(*PUSHED, every=0.5)
    show.after(30.0)
    seen += frame("while CI runs", show)
    show.tell(*ENDED, every=0.5)
    seen += ["what has scrolled away", *show.emulator.scrolled, "", *frame("at the end", show)]
    golden(f"live-landing-{show.emulator.screen.columns}x{show.emulator.screen.lines}.txt", seen)


def test_a_chain_looks_as_the_golden_transcript_has_it(show: Show) -> None:
    """One row of links fills in; the links that did not begin stay open in the summary."""
    show.tell(*CHAIN, every=0.5)
    seen = frame("while the mirror lags", show)
    show.tell(*MIRRORED, every=0.5)
    show.after(30.0)
    seen += frame("while Actions run", show)
    show.tell(*BROKEN, every=0.5)
    seen += ["what has scrolled away", *show.emulator.scrolled, "", *frame("at the end", show)]
    golden(f"live-chain-{show.emulator.screen.columns}x{show.emulator.screen.lines}.txt", seen)


@pytest.mark.parametrize("columns", [24, 30, 44, 60, 90, 130])
def test_the_row_of_a_chain_fits_into_every_terminal(columns: int) -> None:
    emulator = TerminalEmulator(columns, 12)
    show = Show(emulator)
    show.tell(*CHAIN, *MIRRORED)
    show.after(1.0)
    row = next(line for line in emulator.lines if line.count("○") > 1)
    assert len(row) < columns
    assert [mark for mark in row if mark in "✓●○"] == ["✓", "●", "○", "○"]
    assert "act" in row


@pytest.mark.parametrize("event", [Start("homelab ci logs", sha=SHA), StageChanged(Stage.FETCH, Progress.STARTED)])
def test_what_comes_before_anothers_words_stands_there_at_once(show: Show, event: Event) -> None:
    """A step's log or a question of ssh's may be written next; no beat of the pulse has come yet."""
    show.view.tell(event)
    assert any(show.emulator.lines)


def test_the_scene_of_all_events_looks_as_the_golden_transcript_has_it(show: Show) -> None:
    seen: list[str] = []
    for number, event in enumerate(EVENTS):
        show.tell(event)
        show.after(0.5)
        if isinstance(event, ContactLost) or number == len(EVENTS) - 2:
            seen += frame(f"after event {number + 1}", show)
    seen += ["what has scrolled away", *show.emulator.scrolled, "", *frame("at the end", show)]
    golden(f"live-scene-{show.emulator.screen.columns}x{show.emulator.screen.lines}.txt", seen)


def test_the_result_line_is_the_last_and_only_line_on_stdout_as_plain_has_it(show: Show) -> None:
    show.tell(*LANDING, *PUSHED, *ENDED)
    last = ENDED[-1]
    assert isinstance(last, Result)
    assert show.emulator.stdout == [format_result_line(last)]


def test_nothing_of_the_region_is_left_when_it_ends(show: Show) -> None:
    show.tell(*LANDING, *PUSHED)
    show.tell(*ENDED)
    seen = "\n".join(show.emulator.scrolled + show.emulator.lines)
    assert "●" not in seen
    assert "━" not in seen
    assert "image" not in seen
    assert len(re.findall("^.? ?watch", seen, re.MULTILINE)) == 1


def test_a_row_that_is_drawn_again_never_wraps_or_scrolls(show: Show) -> None:
    """A hundred redraws with long names leave exactly one region, as wide as the terminal less one column."""
    long = "a-very-long-name-" * 12
    show.tell(
        StageChanged(Stage.WATCH, Progress.STARTED),
        PipelineChanged(1, "push", f"refs/heads/{long}", "running", started=1795465870, expected=1e6),
        WorkflowChanged(1, 1, long, "running"),
        *(StepChanged(1, long, pid, f"{pid}{long}漢字", "running", error=long) for pid in range(2, 9)),
        Waiting(long, long),
        ContactLost(long, 100.0),
    )
    for _ in range(100):
        show.after(1.0)
    assert show.emulator.scrolled == []
    assert all(len(line) < show.emulator.screen.columns for line in show.emulator.lines)
    assert len(show.emulator.lines) <= show.emulator.screen.lines - 1


@pytest.mark.parametrize("rows", [4, 6, 9, 12, 24])
def test_no_copy_of_the_region_gets_into_the_scrollback_of_tmux(rows: int) -> None:
    """Also where the region fills the screen: tmux copies what is erased from the first cell on."""
    show = Show(TerminalEmulator(60, rows))
    for event in (*LANDING, *PUSHED, *ENDED):
        show.tell(event)
        show.after(1.0)
        show.view.close()
    scrolled = show.emulator.scrolled
    assert not [line for line in scrolled if "●" in line or "○" in line or "more" in line]
    assert sum("landed 9f2c" in line for line in (*scrolled, *show.emulator.lines)) == 1


def test_a_printed_line_as_wide_as_the_screen_keeps_its_last_character() -> None:
    show = Show(TerminalEmulator(40, 10))
    show.tell(StageChanged(Stage.WATCH, Progress.STARTED), Log("homelab", "x" * 79 + "y"))
    assert show.emulator.lines[:2] == ["x" * 40, "x" * 39 + "y"]
    assert "y\r\n" in show.emulator.written[-1]  # a terminal that is about to wrap would erase it


def test_where_there_is_no_room_what_matters_least_goes_first() -> None:
    show = Show(TerminalEmulator(40, 6))
    seen = show.tell(*PUSHED[2:], StepChanged(141, "build", 4, "test", "failure", exit_code=3))
    text = "\n".join(seen)
    assert "#141 push main" in text
    assert "test " in text
    assert "compile" in text
    assert "clone" not in text
    assert re.search(r"… \d more", seen[-1])


def test_unchanged_is_not_written_again(show: Show) -> None:
    show.tell(*LANDING)
    before = len(show.emulator.written)
    for _ in range(5):
        show.view.redraw()
    assert len(show.emulator.written) == before


def test_a_redraw_erases_no_line_before_it_is_written_over(show: Show) -> None:
    """What would flicker: a whole line or the screen erased ahead of the new text."""
    show.tell(*LANDING, *PUSHED)
    show.after(1.0)
    last = show.emulator.written[-1]
    assert not re.search(r"\x1b\[[0-9]+[JK]", last)
    assert last.count("\x1b[J") == 1
    assert last.endswith("\x1b[J\r\x1b[?25h")


def test_every_write_leaves_the_cursor_visible_and_lines_wrapping(show: Show) -> None:
    """So that even a killed process leaves a usable terminal; the other screen is never switched to."""
    show.tell(*LANDING, *PUSHED, *ENDED)
    for text in show.emulator.written:
        assert text.endswith("\x1b[?25h")
        assert text.rfind("\x1b[?7h") > text.rfind("\x1b[?7l")
        assert "1049" not in text


def test_no_time_runs_while_git_may_be_asking_for_a_password(show: Show) -> None:
    show.tell(Start("git land"), StageChanged(Stage.PUSH, Progress.STARTED))
    before = len(show.emulator.written)
    show.after(60.0)
    assert len(show.emulator.written) == before
    assert show.emulator.lines[-1].startswith("● push")


def test_time_runs_while_ci_is_watched(show: Show) -> None:
    show.tell(StageChanged(Stage.WATCH, Progress.STARTED))
    assert show.after(75.0)[-1].endswith("1m15s")


def test_the_bar_goes_to_the_expected_end_and_then_says_what_is_usual(show: Show) -> None:
    show.tell(PipelineChanged(7, "push", "refs/heads/main", "running", started=1795465876, expected=100.0))
    half = next(line for line in show.after(50.0) if "━" in line)
    assert abs(half.count("━") - half.count("─")) <= 1
    assert "50s of about 1m40s" in half
    late = next(line for line in show.after(100.0) if "━" in line)
    assert "─" not in late
    assert "usually 1m40s" in late


def test_a_step_that_was_running_before_it_was_seen_has_no_exact_time(show: Show) -> None:
    show.tell(WorkflowChanged(7, 1, "w", "running"), PipelineChanged(7, "push", "main", "running"))
    show.tell(StepChanged(7, "w", 2, "a", "running"), StepChanged(7, "w", 3, "b", "pending"))
    show.tell(StepChanged(7, "w", 3, "b", "running"))
    text = "\n".join(show.after(9.0))
    assert re.search(r"a +running +9s\+", text)
    assert re.search(r"b +running +9s\n?$", text)


def test_a_restart_takes_the_place_of_the_pipeline_before_it(show: Show) -> None:
    show.tell(PipelineChanged(7, "push", "main", "failure"), StepChanged(7, "w", 2, "a", "failure"))
    seen = show.tell(PipelineChanged(9, "push", "main", "running", note="restarted: #9 replaces #7"))
    assert seen[0] == "#9 push main: restarted: #9 replaces #7"
    assert [line for line in seen[1:] if "#7" in line] == []


def test_a_pipeline_that_was_removed_is_no_longer_in_the_region() -> None:
    created = PipelineChanged(141, "push", "refs/heads/main", "created", url=URL, sha=SHA)
    state, at = LiveState(), Timestamp(0.0, 0.0)
    for event in (created, created._replace(number=142), created._replace(status=REMOVED_STATUS)):
        state = apply_event(state, event, at)
    assert list(state.pipelines) == [142]


def test_steps_stand_under_their_own_workflow_of_a_matrix(show: Show) -> None:
    show.tell(
        PipelineChanged(7, "push", "main", "running"),
        *(WorkflowChanged(7, pid, "test", "running") for pid in (1, 4)),
        *(StepChanged(7, "test", pid, f"step{pid}", "pending") for pid in (2, 5)),
    )
    order = re.findall(r"(?:test|step\d)", "\n".join(show.emulator.lines))
    assert order == ["test", "step2", "test", "step5"]


def test_steps_stand_under_their_own_cell_even_if_the_cells_are_numbered_first(show: Show) -> None:
    """A real server numbers the workflows, then the steps."""
    cells = [(MatrixAxis("GO", go),) for go in ("1.21", "1.22")]
    show.tell(
        PipelineChanged(7, "push", "main", "running"),
        *(WorkflowChanged(7, pid, "test", "running", axes=axes) for pid, axes in enumerate(cells, 1)),
        *(StepChanged(7, "test", pid, f"step{pid}", "pending", axes=axes) for pid, axes in enumerate(cells, 3)),
    )
    order = re.findall(r"(?:GO=1.2\d|step\d)", "\n".join(show.emulator.lines))
    assert order == ["GO=1.21", "step3", "GO=1.22", "step4"]


def test_lost_contact_counts_down_and_back_leaves_a_line(show: Show) -> None:
    show.tell(ContactLost("the server returned 502", 180.0))
    seen = show.after(10.0)
    assert seen[0].startswith("! no usable response: the server retur")
    assert seen[1] == "  retrying for up to 2m50s"
    assert "".join(show.tell(ContactRestored(12.0))) == "no usable response for 12s: the server returned 502"


def test_waiting_is_shown_with_its_time_and_remedy_until_something_comes(show: Show) -> None:
    show.tell(Waiting("no pipeline yet", "redeliver the webhook", 60.0))
    assert show.after(5.0) == ["○ no pipeline yet  1m05s", "  redeliver the webhook"]
    assert "redeliver" not in "\n".join(show.tell(PipelineChanged(7, "push", "main", "running")))


def test_what_a_landing_waits_for_stays_beside_the_pipeline_of_another(show: Show) -> None:
    """Whose it is and how long it usually takes; the pipeline itself shows only how far it is."""
    pipeline = PipelineChanged(7, "push", "refs/heads/main", "running", deciding=False)
    show.tell(StageChanged(Stage.QUEUE, Progress.STARTED), pipeline, Waiting("waiting for #7 of 0aa11bb2 by bob"))
    assert any("#7 of 0aa11bb2 by bob" in line for line in show.tell(pipeline._replace(started=1795465880)))


def test_the_number_of_a_pipeline_is_a_link_to_its_page(show: Show) -> None:
    show.tell(PipelineChanged(7, "push", "main", "running", url=URL))
    show.after(5.0)
    links = re.findall(r"\x1b\]8;;(\S+?)\x1b\\([^\x1b]*)\x1b\]8;;\x1b\\", "".join(show.emulator.written))
    assert set(links) == {(URL, "#7")}
    before = len(show.emulator.written)
    show.view.redraw()
    assert len(show.emulator.written) == before


@pytest.mark.parametrize("url", ["javascript:alert(1)", "https://ci.example.test/a b", "https://ci.example.test/漢"])
def test_what_is_not_a_plain_web_address_is_no_link(show: Show, url: str) -> None:
    show.tell(PipelineChanged(7, "push", "main", "running", url=url))
    assert "\x1b]8" not in "".join(show.emulator.written)


def test_the_steps_are_counted_and_are_the_bar_where_no_duration_is_known(show: Show) -> None:
    show.tell(
        PipelineChanged(7, "push", "main", "running"),
        *(StepChanged(7, "w", pid, f"step{pid}", "pending") for pid in (2, 3, 4, 5)),
    )
    assert "━" not in (bar := next(line for line in show.emulator.lines if "0/4 steps" in line)), bar
    for pid, state in ((2, "success"), (3, "skipped")):
        show.tell(StepChanged(7, "w", pid, f"step{pid}", state))
    bar = next(line for line in show.emulator.lines if "2/4 steps" in line)
    assert abs(bar.count("━") - bar.count("─")) <= 1


def test_steps_that_took_long_keep_their_time_in_the_summary(show: Show) -> None:
    show.tell(PipelineChanged(7, "push", "main", "running"))
    show.tell(*(StepChanged(7, "w", int(took), f"s{took:.0f}", "success", took=took) for took in (2.0, 75.0, 12.0)))
    seen = show.tell(PipelineChanged(7, "push", "main", "success"), Result(verdict="passed", exit=ExitCode.OK))
    assert "  slowest steps: s75 1m15s, s12 12s" in seen


def test_the_evidence_of_a_finding_is_broken_between_words() -> None:
    show = Show(TerminalEmulator(40, 10))
    seen = show.tell(Finding("remote", FindingStatus.OK, "origin: acme/app, target branch main of everybody"))
    assert seen == ["✓ remote       origin: acme/app, target", "               branch main of everybody"]


def test_a_command_that_does_not_wait_says_each_thing_once_with_its_duration() -> None:
    """As `ci status` does: neither a second row for the address, nor the reason that the row of the pipeline gives."""
    show = Show(TerminalEmulator(80, 24))
    seen = show.tell(
        PipelineChanged(7, "push", "main", "success", url=URL, took=12.0),
        Result("passed", ExitCode.OK, reason="#7 passed"),
    )
    assert seen == ["✓ #7 push main  success    12s", "homelab: passed exit=0 took=0.0"]


def test_a_pipeline_that_still_runs_at_the_end_shows_which_step(show: Show) -> None:
    show.tell(PipelineChanged(7, "push", "main", "running"))
    show.tell(StepChanged(7, "w", 1, "build", "success"), StepChanged(7, "w", 2, "test", "running"))
    assert "  1/2 steps, running: test" in show.tell(Result(verdict="timeout", exit=ExitCode.TIMEOUT))


def test_the_summary_has_the_time_of_each_stage_in_one_row(show: Show) -> None:
    show.tell(
        *(
            StageChanged(stage, progress, took=took)
            for stage, took in ((Stage.FETCH, 0.25), (Stage.VERIFY, 75.0), (Stage.PUSH, 1.5))
            for progress in (Progress.STARTED, Progress.DONE)
        ),
        StageChanged(Stage.MERGE, Progress.SKIPPED, took=0.0),
    )
    seen = show.tell(Result(verdict="landed", exit=ExitCode.OK))
    wide = show.emulator.screen.columns > 40
    assert ("✓ fetch 0.2s  " * wide + "✓ verify 1m15s  ✓ push 1.5s") in seen


def test_a_rollout_names_the_commit_that_is_waited_for_in_full(show: Show) -> None:
    """However long the name of the workload is."""
    event = RolloutChanged("production-shop/statefulset/frontend-cache", "progressing", desired=2, sha=SHA)
    assert f"waits for {SHA[:10]}" in "\n".join(show.tell(event))
    assert "waits for" not in "\n".join(show.tell(event._replace(phase="deployed")))


def test_the_bar_of_a_rollout_does_not_begin_full() -> None:
    """The counts of the template before say nothing about this one."""
    show = Show(TerminalEmulator(80, 24))
    seen = show.tell(RolloutChanged("shop/web", "progressing", "", desired=2, ready=2, available=2, sha=SHA))
    assert "━" not in "\n".join(seen)


def test_a_rollout_shows_its_counts(show: Show) -> None:
    seen = show.tell(RolloutChanged("shop/web", "progressing", "1 of 2", desired=2, updated=1, available=2, old=1))
    assert seen[0] == "● shop/web  progressing"
    assert "1 updated, 2 available, 1 old of 2" in seen[1]
    assert seen[2] == "  1 of 2"


def test_a_verification_shows_its_last_lines_and_keeps_only_those_of_a_failure(show: Show) -> None:
    show.tell(*LANDING)
    assert "│ test 7 passed" in show.emulator.lines[-1]
    assert "test 1 passed" not in "\n".join(show.emulator.lines)
    show.tell(Log("verify", "test 8 FAILED", LogLevel.ERROR), StageChanged(Stage.VERIFY, Progress.FAILED, "no", 3.0))
    text = "\n".join(show.emulator.scrolled + show.emulator.lines)
    assert "test 8 FAILED" in text
    assert "passed" not in text


def test_warnings_and_errors_stay_above_the_region(show: Show) -> None:
    show.tell(StageChanged(Stage.WATCH, Progress.STARTED))
    seen = show.tell(Log("homelab", "one", LogLevel.WARNING), Log("homelab", "two", LogLevel.ERROR))
    assert [line.rstrip() for line in seen[:2]] == ["warning: one", "error: two"]
    assert seen[2].startswith("● watch")


def test_our_own_word_stands_there_at_once(show: Show) -> None:
    """`landed SHA on BRANCH` is printed before anything else is tried, not with the next redraw."""
    show.view.tell(Log("homelab", "landed"))
    assert show.emulator.lines == ["landed"]


def test_our_long_words_wrap_so_that_they_can_be_copied() -> None:
    show = Show(TerminalEmulator(40, 10))
    show.tell(Log("homelab", f"landed {SHA} on main"))
    assert "".join(show.emulator.lines).startswith(f"landed {SHA}")


def test_without_color_no_sgr_sequence_is_written() -> None:
    show = Show(TerminalEmulator(80, 24, color=False))
    show.tell(*LANDING, *PUSHED, *ENDED)
    assert not COLOR.search("".join(show.emulator.written))


def test_with_color_the_failed_step_is_red_and_a_log_keeps_its_own(show: Show) -> None:
    show.tell(*PUSHED, *ENDED[:4])
    written = "".join(show.emulator.written)
    assert re.search(r"\x1b\[1;31mfailure", written)
    assert "\x1b[31mmain.c:3: error" in written


def test_a_terminal_without_unicode_gets_ascii() -> None:
    show = Show(TerminalEmulator(80, 24, encoding="ascii"))
    show.tell(*LANDING, *PUSHED)
    show.after(60.0)
    show.tell(*ENDED)
    assert "".join(show.emulator.written).isascii()


@pytest.mark.parametrize(
    "hidden", ["t0ken-value", "t0k\x1b[1men-value", "\x1b[31mt0ken-\x1b[32mvalue", "hvs.\x00vault-value"]
)
def test_a_secret_is_shown_nowhere_not_even_between_colors(show: Show, hidden: str) -> None:
    for source in ("step a/b", "verify", "homelab"):
        show.tell(Log(source, f"\x1b[33mhere: {hidden}"))
    text = "\n".join(show.emulator.scrolled + show.emulator.lines) + COLOR.sub("", "".join(show.emulator.written))
    assert not any(secret in text for secret in SECRETS)
    assert "***" in text


def test_after_a_resize_everything_is_as_wide_as_the_terminal() -> None:
    show = Show(TerminalEmulator(80, 24))
    show.tell(*LANDING, *PUSHED)
    for columns, rows in ((40, 10), (100, 30), (24, 4), (80, 24)):
        show.emulator.resize(columns, rows)
        show.after(1.0)
        drawn = COLOR.sub("", show.emulator.written[-1])
        inside = re.sub(r"\x1b\[[?0-9]*[A-Za-z]|\x1b\]8;;[^\x1b]*\x1b\\", "", drawn).split("\r\n")
        assert all(len(line.lstrip("\r")) < columns for line in inside)
        assert len(inside) <= rows
    shown = [line for line in show.emulator.lines if line.startswith("● watch")]
    assert len(shown) == 1


HOSTILE = st.text(max_size=30) | st.sampled_from(
    [
        "\x1b]0;title\x07",
        "\x1b[2J\x1b[H",
        "\u202egpj",
        "漢" * 100,
        "👩\u200d👩\u200d👧" * 20,
        "e\u0301" * 90,
        "\x9b31m",
        "\r\n" * 9,
        "[bold]x[/]",
    ]
)


def events(kind: Any) -> st.SearchStrategy[Any]:
    """Any event of a kind with hostile words."""
    words: dict[Any, dict[str, Any]] = {
        PipelineChanged: {"trigger": HOSTILE, "ref": HOSTILE, "status": HOSTILE, "note": HOSTILE, "url": HOSTILE},
        WorkflowChanged: {"name": HOSTILE, "state": HOSTILE, "error": HOSTILE},
        StepChanged: {"workflow": HOSTILE, "name": HOSTILE, "state": HOSTILE, "error": HOSTILE},
        StageChanged: {"stage": st.sampled_from(Stage), "progress": st.sampled_from(Progress), "detail": HOSTILE},
        Waiting: {"reason": HOSTILE, "remedy": HOSTILE},
        ContactLost: {"reason": HOSTILE, "retry_for": st.floats(-10, 1e6)},
        Log: {"source": HOSTILE | st.just("verify"), "text": HOSTILE, "level": st.sampled_from(LogLevel)},
        RolloutChanged: {
            "target": HOSTILE,
            "phase": HOSTILE,
            "detail": HOSTILE,
            "desired": st.integers(0, 9) | st.none(),
        },
    }
    numbers: dict[Any, dict[str, Any]] = {
        PipelineChanged: {"number": st.integers(1, 4), "started": st.integers(0, 2**40), "expected": st.floats(0, 1e9)},
        WorkflowChanged: {"pipeline": st.integers(1, 4), "pid": st.integers(1, 9)},
        StepChanged: {"pipeline": st.integers(1, 4), "pid": st.integers(1, 9)},
    }
    return st.builds(kind, **words[kind], **numbers.get(kind, {}))


KINDS = (PipelineChanged, WorkflowChanged, StepChanged, StageChanged, Waiting, ContactLost, Log, RolloutChanged)


WORKFLOW, ROLLOUT = WorkflowChanged(1, 1, "", ""), RolloutChanged("", "", desired=0)


@settings(max_examples=40)
@example(
    told=[WORKFLOW, PipelineChanged(1, "", "", ""), WORKFLOW, ROLLOUT, ROLLOUT._replace(target="漢" * 68)],
    columns=14,
    rows=3,
)
@given(
    told=st.lists(st.one_of(*(events(kind) for kind in KINDS)), max_size=12),
    columns=st.integers(10, 120),
    rows=st.integers(2, 30),
)
def test_whatever_is_reported_only_our_own_control_sequences_are_written(
    told: list[Event], columns: int, rows: int
) -> None:
    show = Show(TerminalEmulator(columns, rows))
    for event in told:
        show.tell(event)
        show.after(0.7)
    show.view.close()
    left = OUR_OWN.sub("", "".join(show.emulator.written))
    assert not re.search("[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]", left)


def test_closing_twice_or_before_anything_was_reported_writes_nothing(show: Show) -> None:
    show.view.close()
    assert show.emulator.written == []
    show.tell(*LANDING)
    show.view.close()
    before = len(show.emulator.written)
    show.view.close()
    assert len(show.emulator.written) == before
