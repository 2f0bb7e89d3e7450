"""A long line with a command is folded, and a shell that runs it gets the same arguments."""

from __future__ import annotations

import shlex
import subprocess

import pytest
from hypothesis import given, strategies as st

from homelab_hooks.text.command_lines import MAX_COMMAND_CHARS, find_command, fold_line

WORDS = st.lists(st.text("ab c'\"\\$`=漢-;|&", min_size=1, max_size=90), min_size=1, max_size=9)


@given(words=WORDS, width=st.sampled_from([20, 40, 199]))
def test_a_folded_command_has_the_same_arguments_and_fits(words: list[str], width: int) -> None:
    command = shlex.join(["homelab", "ci", "logs", *words])
    lines = fold_line(f"to see more, run: {command}", width)
    assert all(len(line) + line.count("漢") <= width for line in lines)
    if len(lines) > 1:
        assert lines[0] == "to see more, run:"
        assert shlex.split("\n".join(lines[1:]).replace("\\\n", "")) == ["homelab", "ci", "logs", *words]


@pytest.mark.parametrize(
    "word", [400 * "x", 80 * "it's ", 200 * "漢", 90 * "\\'$`"], ids=["x", "quotes", "wide", "all"]
)
def test_a_shell_joins_the_lines_again(word: str) -> None:
    command = shlex.join(["git", "land", "-m", word, "--onto", "main"])
    lines = fold_line(f"to try again, run: {command}")
    script = 'git() { printf "%s\\0" "$@"; }\n' + "\n".join(lines[1:]) + "\n"
    done = subprocess.run(["sh"], input=script.encode(), capture_output=True, check=True)
    assert done.stdout.decode().split("\0")[:-1] == ["land", "-m", word, "--onto", "main"]


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("to resume, run: homelab-watch HEAD", "homelab-watch HEAD"),
        ("to resume, run: homelab deploy wait shop/web", "homelab deploy wait shop/web"),
        ("fix it, then run homelab ci restart", "homelab ci restart"),
        ("redeliver the webhook, or homelab ci restart", "homelab ci restart"),
        ("homelab config shows the settings", "homelab config shows the settings"),
        ("to try again, run: git land --onto main", "git land --onto main"),
        ("the run of gitea failed", None),
        ("homelab", None),
    ],
)
def test_a_command_in_a_message_is_found(text: str, command: str | None) -> None:
    start = find_command(text)
    assert (None if start is None else text[start:]) == command


def test_a_line_without_a_command_is_cut() -> None:
    assert fold_line(300 * "x") == [198 * "x" + "…"]


def test_an_endless_command_is_bounded() -> None:
    lines = fold_line("run: git " + MAX_COMMAND_CHARS * "x " + "end")
    assert sum(map(len, lines)) < MAX_COMMAND_CHARS + 200
