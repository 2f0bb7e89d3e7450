"""Children start as git starts them, end with their process, are shown as they come, and are kept within bounds."""

from __future__ import annotations

import os
import signal
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from homelab_hooks.system.child import script_obstacle
from homelab_hooks.system.completed import Completed
from homelab_hooks.system.output import MAX_MESSAGES_BYTES, MAX_SHOWN_LINE_BYTES, KeptOutput, LineSplitter
from homelab_hooks.system.process_runner import ProcessRunner
from homelab_hooks.system.process_table import command_line
from homelab_hooks.text.redaction import MIN_SECRET_LENGTH, Redactor
from homelab_hooks.text.sanitize import strip_control_chars
from tests.waiting import FOREVER, HANG_S, wait_until

pytestmark = pytest.mark.slow  # real processes that wait

LATE_S = 0.5
"""after which a child that never ends by itself is ended"""
FLOOD_BYTES = 64 * MAX_MESSAGES_BYTES


@dataclass
class Lines:
    """Records the lines of a child; `on_each` acts on each of them while the child runs."""

    seen: list[str] = field(default_factory=list)
    waits: int = 0
    on_each: Callable[[str], None] = lambda _: None

    def on_line(self, text: str) -> None:
        self.seen.append(text)
        self.on_each(text)

    def on_wait(self) -> None:
        self.waits += 1


@pytest.fixture
def processes() -> ProcessRunner:
    return ProcessRunner({"PATH": os.environ["PATH"]})


@pytest.fixture
def left_behind(tmp_path: Path) -> Iterator[Path]:
    """The file to which a daemon of the test writes its process id; the daemon is ended after the test."""
    file = tmp_path / "daemon.pid"
    yield file
    for pid in map(int, file.read_text().split() if file.exists() else ()):
        if command_line(pid):
            os.kill(pid, signal.SIGKILL)


def sh(script: str) -> list[str]:
    return ["sh", "-c", script]


DAEMONS = {
    "both outputs": "{forever} & echo $! >>{file}",
    "standard error": "{forever} >/dev/null & echo $! >>{file}",
    "standard output": "{forever} 2>/dev/null & echo $! >>{file}",
    "a session of its own": "setsid {forever} & echo $! >>{file}",
    "a flood": "while :; do echo flood; done & echo $! >>{file}",
}


@pytest.mark.parametrize(("which", "code"), [*zip(DAEMONS, [0, 3, 0, 3, 0], strict=True)])
def test_a_command_has_ended_when_its_process_has(
    processes: ProcessRunner, left_behind: Path, which: str, code: int
) -> None:
    script = f"echo before; {DAEMONS[which].format(forever=FOREVER, file=left_behind)}; echo done; exit {code}"
    done = processes.run(sh(script))
    assert (done.code, done.timed_out) == (code, False)
    assert [line for line in done.lines if line != "flood"] == ["before", "done"]
    heard = Lines()
    assert processes.stream(sh(script), heard).code == code
    assert [line for line in heard.seen if line.strip() in {"before", "done"}] == ["before", "done"]


BRIEF_DAEMON = "sleep 30"
"""ends by itself: where its end is waited for, the test fails and does not hang"""


@pytest.mark.parametrize("call", ["run", "stream"])
def test_a_daemon_is_not_waited_for(processes: ProcessRunner, left_behind: Path, call: str) -> None:
    script = sh(f"{BRIEF_DAEMON} & echo $! >{left_behind}")
    done = processes.run(script) if call == "run" else processes.stream(script, Lines())
    assert done.ok
    assert BRIEF_DAEMON in command_line(int(left_behind.read_text()))


def test_what_is_in_the_pipe_of_a_process_that_has_ended_is_read(
    processes: ProcessRunner, left_behind: Path, tmp_path: Path
) -> None:
    """A process of the command writes after its end, as `exec > >(tee log)` of bash does, and keeps the pipe open."""
    go, written, ended = tmp_path / "go", tmp_path / "written", tmp_path / "ended"
    os.mkfifo(go)
    os.mkfifo(written)

    class Late(Lines):
        def on_wait(self) -> None:
            wait_until(lambda: ended.exists() and ended.read_text().endswith("\n"))
            wait_until(lambda: not command_line(int(ended.read_text())))

        def on_line(self, text: str) -> None:
            super().on_line(text)
            if text == "first":
                go.write_text("now\n")
                written.read_text()

    late = f"{{ read a <{go}; echo last; echo >{written}; exec {FOREVER}; }} & echo $! >>{left_behind}"
    heard = Late()
    assert processes.stream(sh(f"{late}; echo $$ >{ended}; echo first"), heard).ok
    assert heard.seen == ["first", "last"]


def test_a_process_that_closes_its_outputs_and_goes_on_is_waited_for(processes: ProcessRunner, tmp_path: Path) -> None:
    done = processes.run(sh(f"exec >&- 2>&-; sleep 0.3; touch {tmp_path}/end; exit 4"))
    assert (done.code, (tmp_path / "end").exists()) == (4, True)


def test_a_timeout_ends_the_group_although_its_output_is_held(processes: ProcessRunner, left_behind: Path) -> None:
    done = processes.run(sh(f"{FOREVER} & echo $! >{left_behind}; echo text; wait"), timeout=LATE_S)
    assert (done.timed_out, done.out) == (True, "text\n")
    wait_until(lambda: not command_line(int(left_behind.read_text())))


def test_a_command_that_is_ended_before_its_time_is_late_only_if_it_still_runs(
    processes: ProcessRunner, left_behind: Path
) -> None:
    done = processes.run(sh(f"setsid {FOREVER} & echo $! >>{left_behind}; exit 5"), timeout=HANG_S)
    assert (done.code, done.timed_out) == (5, False)


QUESTIONS = {
    "standard output": "printf 'Continue? [y/N] '",
    "standard error": "printf 'Continue? [y/N] ' >&2",
    "after a line": "echo first; printf 'Continue? [y/N] '",
    "after a carriage return": "printf '10%%\\r20%%\\rContinue? [y/N] '",
    "beginning with a word": "printf 'Building... '; sleep 0.7; printf 'Continue? [y/N] '",
    "half a character": "printf 'Continue? [y/N] \\303'",
}


@pytest.mark.parametrize("which", QUESTIONS)
def test_a_question_is_shown_before_its_answer(processes: ProcessRunner, tmp_path: Path, which: str) -> None:
    """The child waits until the question was heard, and for ever if it is not."""
    answer = tmp_path / "answer"
    os.mkfifo(answer)

    def reply(text: str) -> None:
        if "Continue?" in text and text.endswith("…"):
            with answer.open("w") as pipe:
                pipe.write("y\n")

    heard = Lines(on_each=reply)
    assert processes.stream(sh(f"{QUESTIONS[which]}; read a <{answer}; echo $a; exit 7"), heard).code == 7
    assert heard.seen[-1].startswith(("Continue? [y/N]", "Building... Continue? [y/N]"))
    assert heard.seen[-1].endswith("y")


def test_standard_error_is_shown_while_standard_output_is_kept(processes: ProcessRunner, tmp_path: Path) -> None:
    touched = tmp_path / "touched"
    heard = Lines(on_each=lambda _: touched.touch())
    done = processes.with_listener(heard).run(
        sh(f"echo answer; echo 'touch your key' >&2; while [ ! -e {touched} ]; do sleep 0.02; done; echo more")
    )
    assert (done.lines, done.err, heard.seen) == (("answer", "more"), "touch your key\n", ["touch your key"])


class Ticks:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


def split(*pieces: bytes | float) -> list[str]:
    """The lines of an output whose pieces come at once, or after pauses in seconds."""
    clock, heard = Ticks(), Lines()
    lines = LineSplitter(heard.on_line, now=clock)
    for piece in pieces:
        if isinstance(piece, bytes):
            lines.feed(piece)
        else:
            clock.time += piece
            lines.pass_unfinished()
    lines.close()
    return heard.seen


@pytest.mark.parametrize(
    ("pieces", "lines"),
    [
        ((b"a\nb", b"c\n"), ["a", "bc"]),
        ((b"a\r\nb\r\n",), ["a", "b"]),
        ((b"10%\r20%", b"\r30%\n"), ["30%"]),
        ((b"a\n\nb\n",), ["a", "", "b"]),
        ((b"\xc3", b"\xa4\n"), ["ä"]),
        ((b"\xff\n",), ["\ufffd"]),
        ((b"who? ", 0.4, b"now\n"), ["who? now"]),
        ((b"who? ", 0.6, b"me\n"), ["who?…", "who? me"]),
        ((b"who? ", 0.6, 0.6, 60.0), ["who?…", "who? "]),
        ((b".", 0.6, b".", 0.6, b".", 0.6, b".", 0.6, b"\n"), [".…", "..…", "....…", "...."]),
        ((b"  ", 0.6, b"\n"), ["  "]),
        ((b"see https://ann:s3", 0.6, b"cret@h.example.test\n"), ["see https://…", "see https://ann:s3cret@h.example.test"]),
    ],
)  # fmt: skip
def test_lines_are_passed_on_whole_and_unfinished_ones_after_a_pause(
    pieces: tuple[bytes | float, ...], lines: list[str]
) -> None:
    assert split(*pieces) == lines


def test_a_line_that_grows_for_an_hour_is_not_shown_at_each_dot() -> None:
    pieces: list[bytes | float] = [b".", 1.0]
    shown = split(*pieces * 3600)
    assert 300 < len(shown) < 500


@pytest.mark.parametrize("pause", [0.1, 0.6])
@pytest.mark.parametrize("cut", range(1, 11))
def test_a_secret_that_comes_in_two_parts_is_not_shown(pause: float, cut: int) -> None:
    """Of one that is cut in an unfinished line, at most five characters are shown; those are in many words."""
    secret, redact = b"t0ken-value", Redactor(["t0ken-value"])
    shown = [redact(strip_control_chars(line)) for line in split(b"key ", secret[:cut], pause, secret[cut:], b" end\n")]
    assert shown[-1] == "key *** end"
    assert shown[:-1] in ([], [f"key {secret[:cut].decode() if cut < MIN_SECRET_LENGTH else '***'}…"])


def memory_of(act: Callable[[], object]) -> int:
    """The most bytes that were in use while it ran."""
    tracemalloc.start()
    act()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most


@pytest.mark.parametrize("line", ["lines", "one line"])
def test_a_flood_is_not_kept(processes: ProcessRunner, line: str) -> None:
    source = "yes" if line == "lines" else "cat /dev/zero"
    script = f"echo first >&2; {source} | head -c {FLOOD_BYTES} >&2; echo >&2; echo last >&2"
    found: list[Completed] = []
    assert memory_of(lambda: found.append(processes.run(sh(script)))) < FLOOD_BYTES / 8
    assert (found[0].code, found[0].err.splitlines()[0], found[0].err.splitlines()[-1]) == (0, "first", "last")


def test_a_flood_of_a_hook_is_passed_on_and_not_kept(processes: ProcessRunner) -> None:
    last: list[str] = []

    class Last(Lines):
        def on_line(self, text: str) -> None:
            last[:] = [text]
            assert len(text) <= MAX_SHOWN_LINE_BYTES

    lines = f"yes {'long ' * 100} | head -c {FLOOD_BYTES // 4}"
    script = f"cat /dev/zero | head -c {FLOOD_BYTES}; echo; {lines}; echo; echo last"
    assert memory_of(lambda: processes.stream(sh(script), Last())) < FLOOD_BYTES / 8
    assert last == ["last"]


def test_output_that_is_parsed_is_whole_or_an_error() -> None:
    kept = KeptOutput(max_bytes=8)
    assert [kept.feed(b"1234"), kept.feed(b"5678"), kept.feed(b"9")] == [True, True, False]


@pytest.fixture
def program(tmp_path: Path) -> Callable[[bytes], str]:
    def write(content: bytes) -> str:
        file = tmp_path / "program"
        file.write_bytes(content)
        file.chmod(0o755)
        return str(file)

    return write


FOREIGN = b"\x7fELF\x02\x01\x01" + b"\0" * 57


def test_a_hook_without_an_interpreter_line_is_run_by_sh_as_git_does_it(
    processes: ProcessRunner, program: Callable[[bytes], str]
) -> None:
    heard = Lines()
    done = processes.stream([program(b'echo "$1 $#"; cat; exit 3\n'), "a b", "c"], heard, stdin=b"input\n")
    assert (done.code, heard.seen) == (3, ["a b 2", "input"])


def test_an_empty_hook_passes_as_with_git(processes: ProcessRunner, program: Callable[[bytes], str]) -> None:
    assert processes.stream([program(b"")], Lines()).ok


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "exec format error"),
        (FOREIGN, "exec format error"),
        (b"echo no interpreter\n", "exec format error"),
        (b"#!/no/such/interpreter -x\n", "bad interpreter: /no/such/interpreter -x"),
        (b"#!/bin/sh\r\n", "bad interpreter: /bin/sh^M"),
    ],
)
def test_a_program_that_cannot_run_here_is_said_to_be_one(
    processes: ProcessRunner, program: Callable[[bytes], str], content: bytes, reason: str
) -> None:
    done = processes.run([program(content)])
    assert (done.code, done.not_found) == (127, True)
    assert reason in done.start_error


@pytest.mark.parametrize(
    ("argv", "reason"),
    [
        (["no-such-program"], "no-such-program: command not found"),
        (["/no/such/program"], "/no/such/program: no such file"),
        (["/etc"], "/etc: permission denied"),
        (["/etc/passwd"], "/etc/passwd: permission denied"),
        (["/etc/passwd/x"], "/etc/passwd/x: not a directory"),
    ],
)
def test_a_missing_program_is_named(processes: ProcessRunner, argv: list[str], reason: str) -> None:
    for done in (processes.run(argv), processes.stream(argv, Lines())):
        assert (done.code, done.not_found, done.start_error) == (127, True, reason)


def test_a_missing_directory_is_named(processes: ProcessRunner, tmp_path: Path) -> None:
    assert processes.run(["true"], cwd=tmp_path / "gone").start_error == f"{tmp_path}/gone: no such directory"


@pytest.mark.parametrize("call", ["run", "stream"])
@pytest.mark.parametrize(
    ("argv", "reason"),
    [
        (["true", "x" * 4_000_000], "argument list too long"),
        (["true", *["y" * 1000] * 9000], "argument list too long"),
    ],
)  # fmt: skip
def test_a_command_that_is_too_long_is_not_a_missing_program(
    processes: ProcessRunner, call: str, argv: list[str], reason: str
) -> None:
    done = processes.run(argv) if call == "run" else processes.stream(argv, Lines())
    assert (done.code, done.not_found) == (126, False)
    assert reason in done.start_error


DESCRIPTORS = """
import os, resource, sys
from homelab_hooks.system.process_runner import ProcessRunner
processes = ProcessRunner(dict(os.environ))
free = os.dup(0)
os.close(free)
resource.setrlimit(resource.RLIMIT_NOFILE, (free + int(sys.argv[1]), 4096))
done = processes.run(["echo", "text"])
print(done.code, done.not_found, done.out.strip() or done.start_error.split(": ")[-1])
"""


def test_without_file_descriptors_a_child_runs_or_its_error_says_so(processes: ProcessRunner) -> None:
    """However many are left, there is a result; the child itself needs some of them for a moment."""
    lines = {processes.run([sys.executable, "-c", DESCRIPTORS, str(left)]).out.strip() for left in range(12)}
    assert lines == {"126 False too many open files", "0 False text"}


@pytest.mark.parametrize(
    ("text", "obstacle"),
    [
        ("exit 0\n", ""),
        ("#! /bin/sh -e\n", ""),
        ("#!sh\n", ""),
        ("#!/nowhere/python3 -u\n", "bad interpreter: /nowhere/python3"),
        ("#!/bin/sh\r\n", "bad interpreter: /bin/sh^M"),
        ("#!/etc/passwd\n", "bad interpreter: /etc/passwd"),
    ],
)
def test_it_is_known_before_that_a_script_cannot_be_started(tmp_path: Path, text: str, obstacle: str) -> None:
    script = tmp_path / "hook"
    script.write_text(text)
    script.chmod(0o755)
    assert script_obstacle(script) == (f"{script}: {obstacle}" if obstacle else "")
    assert script_obstacle(tmp_path) == f"{tmp_path}: is a directory"
