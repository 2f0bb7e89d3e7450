"""Names of branches, remotes, targets, and worktrees, as the shells complete them, in a real bash and a real fish."""

from __future__ import annotations

import re
import shutil
import subprocess
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from tools.fuzz.fed import MEMORY, FuzzTarget

TIMEOUT_S = 60.0
OFFERED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:@+-]*")
"""a value of which no character means anything to a shell"""
ACTIONS = ("homelab-watch", "git-land --onto", "git-land --remote", "homelab deploy wait", "homelab work clean")
"""command lines whose next word is a commit, a branch, a remote, a target, and a topic"""
_BASH = r"""
for script in "$TOP/share"/bash-completion/completions/*; do source "$script"; done
complete_line() {
  COMP_WORDS=($1 ""); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); COMP_LINE="$1 "; COMP_POINT=${#COMP_LINE}; COMPREPLY=()
  local function=$(complete -p "${COMP_WORDS[0]}" | sed 's/.*-F \([^ ]*\) .*/\1/')
  $function "${COMP_WORDS[0]}" "" "${COMP_WORDS[COMP_CWORD-1]}"
  [ ${#COMPREPLY[@]} = 0 ] || printf '%s\0' "${COMPREPLY[@]}"
}
while IFS= read -r line; do complete_line "$line"; done <"$TOP/lines"
"""
_FISH = r"""
set -p fish_complete_path $TOP/share/fish/vendor_completions.d
while read -l line; complete -C "$line " | string replace -r '\t.*' '' | string join0; end <$TOP/lines
"""
_PROGRAM = """#!/bin/sh
[ "$1 $2" != "worktree list" ] || exec sed "s,^,worktree /src/app/.worktrees/," "$TOP/names"
exec cat "$TOP/names"
"""
"""stands for git and for kubectl, and prints the names, whatever it is asked for"""
_OWN_PROGRAM = "#!/bin/sh\ntouch started\n"
"""stands for a program of this project, which no completion starts; fish completes only a program that is there"""


@cache
def _folder() -> tuple[Path, ExitStack]:
    """The scripts as the wheel has them, beside programs that print the names of the input; made once."""
    from hatch_build import manuals

    stack = ExitStack()
    top = Path(stack.enter_context(TemporaryDirectory(dir=MEMORY)))
    for place, text in manuals():
        (top / place).parent.mkdir(parents=True, exist_ok=True)
        (top / place).write_text(text, encoding="utf-8")
    (top / "bin").mkdir()
    (top / "home").mkdir()
    for name in ("git", "kubectl", "homelab", "homelab-watch", "git-land"):
        (top / "bin" / name).write_text(_PROGRAM if name in {"git", "kubectl"} else _OWN_PROGRAM, encoding="utf-8")
        (top / "bin" / name).chmod(0o755)
    (top / "lines").write_text("".join(f"{line}\n" for line in ACTIONS), encoding="utf-8")
    return top, stack


def completed(shell: str, data: bytes) -> list[str]:
    """What a shell offers; raises AssertionError where a name made a file, as a command in it does."""
    top, _ = _folder()
    (top / "names").write_bytes(data)
    script = {"bash": ("--norc", "-c", _BASH), "fish": ("--no-config", "-c", _FISH)}[shell]
    environ = {"PATH": f"{top / 'bin'}:/usr/bin:/bin", "HOME": str(top / "home"), "TOP": str(top), "LC_ALL": "C.UTF-8"}
    with TemporaryDirectory(dir=MEMORY) as name:
        done = subprocess.run([shell, *script], cwd=name, env=environ, capture_output=True, timeout=TIMEOUT_S)
        assert not list(Path(name).iterdir()), list(Path(name).iterdir())
    return done.stdout.decode("utf-8", "surrogateescape").split("\0")[:-1]


def completions(data: bytes) -> None:
    """Whatever the names are, each value that is offered is one word that means nothing to a shell, and none is run."""
    for shell in filter(shutil.which, ("bash", "fish")):
        for value in completed(shell, data):
            assert OFFERED.fullmatch(value) or value.startswith("-"), (shell, value)


TARGETS = {
    "completion": FuzzTarget(completions, (
        b"main\nfeature/x\nv1.2\n$(touch${IFS}pwned)\n`touch${IFS}pwned`\nx;touch${IFS}pwned\n",
        b"shop/web\nshop/sts/db\n--help\n-x\n~root\n*\n{a,b}\n$HOME\n'q'\n\"q\"\n\\n\na b\n",
        "origin\nforgejo\n\u202egpj\nt\u00e9\n!!\n<(touch pwned)\n&touch pwned\n\x1b]0;t\x07\n".encode(),
    )),
}  # fmt: skip
