"""Prepares this process: nothing is imported from the repository, and every name is UTF-8.

The user's programs are not affected: the environment, and PYTHONPATH in it, is passed on as it is.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # `typing` itself would cost a third of what --help may take
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_PACKAGE_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))  # noqa: PTH100, PTH120 - pathlib is not imported yet


def prepare_interpreter() -> None:
    """Make `sys.path` safe; restart this process if its library is another Python's, or its locale is not UTF-8.

    PYTHONHOME of another Python names a library whose modules this interpreter cannot load. Git's output is UTF-8
    whatever the locale, so under another encoding a name could not be passed back to git or to the file system
    (PEP 540). The encoding of the terminal stays that of the locale.
    """
    open_missing_streams()
    if _has_foreign_library():
        _restart("-E")
    sys.path[:] = safe_import_path(sys.path, os.environ.get("PYTHONPATH", ""), _real_path("."))
    if sys.getfilesystemencoding() != "utf-8" and not sys.flags.utf8_mode:
        _restart("-X", "utf8")
    elif sys.orig_argv[1:3] == ["-X", "utf8"]:
        _restore_terminal_encoding()


def open_missing_streams() -> None:
    """Open /dev/null in place of standard streams that are closed, as git does (setup.c, sanitize_stdfds).

    Supervisors and `<&-` start programs without them. Python then has None in place of the stream, and the next file or
    socket that is opened gets its number, so that a child would write its messages into that.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is not None:
            continue
        null = os.open(os.devnull, os.O_RDWR)
        if null != number:
            os.dup2(null, number)
            os.close(null)
        os.set_inheritable(number, True)  # noqa: FBT003 - its only form
        setattr(sys, name, open(number, mode, encoding="utf-8", errors="replace", closefd=False))  # noqa: SIM115 - a descriptor that stays open


def safe_import_path(entries: Sequence[str], python_path: str, directory: str) -> list[str]:
    """Return `sys.path` without the directories of PYTHONPATH that are in the repository; the others come last.

    A repository may hold a `git.py`, and PYTHONPATH=. is common (Django, ROS, direnv). Directories elsewhere may hold
    what this package depends on (Spack), but never in place of an installed module.

    Args:
        entries: `sys.path`.
        python_path: the value of PYTHONPATH.
        directory: the current directory; `python -m` adds it.
    """
    if not python_path and {"", directory}.isdisjoint(entries):
        return list(entries)
    added = {_real_path(entry) for entry in python_path.split(os.pathsep)} if python_path else set()
    added.add(directory)
    root = _repository_root(directory)
    kept = [entry for entry in entries if _real_path(entry) not in added]
    return [*kept, *_outside(root, (entry for entry in entries if entry not in kept))]


def _real_path(entry: str) -> str:
    """Return the directory of an entry, without symbolic links; the entry itself if the current directory is gone."""
    try:
        return os.path.realpath(entry or ".")
    except OSError:
        return entry or "."


def _outside(root: str, entries: Iterable[str]) -> list[str]:
    """Return the directories that are not in the repository, and that of this package."""
    found = []
    for entry in entries:
        real = _real_path(entry)
        if real == _PACKAGE_ROOT or not f"{real}/".startswith(f"{root.rstrip('/')}/"):
            found.append(entry)
    return found


def _repository_root(directory: str) -> str:
    """Return the nearest directory above with a `.git`; the directory itself if there is none."""
    above = directory
    while not os.path.exists(f"{above}/.git"):  # noqa: PTH110 - pathlib is not imported yet
        if above == os.path.dirname(above):  # noqa: PTH120 - as above
            return directory
        above = os.path.dirname(above)  # noqa: PTH120 - as above
    return above


def _has_foreign_library() -> bool:
    """Return whether PYTHONHOME names another library than the one that belongs to this interpreter."""
    if "PYTHONHOME" not in os.environ or sys.flags.ignore_environment:
        return False
    prefix = os.path.dirname(os.path.dirname(os.path.realpath(sys.executable)))  # noqa: PTH120 - pathlib is not imported yet
    own = f"{prefix}/lib/python{sys.version_info[0]}.{sys.version_info[1]}/os.py"
    return os.path.exists(own) and os.path.realpath(own) != os.path.realpath(os.__file__)  # noqa: PTH110 - as above


def _restart(*options: str) -> None:
    """Start this process again with these options of Python; if that fails, continue."""
    try:
        os.execv(sys.executable, [sys.executable, *options, *sys.orig_argv[1:]])  # noqa: S606 - this process itself, with its own arguments
    except OSError:
        return


def _restore_terminal_encoding() -> None:
    """Write in the locale's encoding after a restart in UTF-8 mode; other characters become question marks."""
    import locale

    for stream in (sys.stdout, sys.stderr):
        if stream is not None and not os.environ.get("PYTHONIOENCODING"):
            stream.reconfigure(encoding=locale.getencoding(), errors="replace")  # type: ignore[union-attr]  # a text stream of this process
