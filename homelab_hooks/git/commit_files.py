"""Files of commits: their texts, and which of them a push changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from homelab_hooks.git.command import GitCommands

MAX_FILE_BYTES = 64 * 1024
"""bytes of a file that is read"""
MAX_FILES = 50
"""files that are read"""
CHANGED_PATHS_TIMEOUT_S = 10.0
"""seconds to list the files that a push changed"""


MENTION_TIMEOUT_S = 20.0
"""seconds to search all files of a commit"""
_NOTHING_FOUND_CODE = 1
"""exit code of git grep"""


class _TreeEntry(NamedTuple):
    """An entry of `ls-tree -l`."""

    mode: str
    kind: str
    object_id: str
    size: str
    path: str

    @property
    def is_small_file(self) -> bool:
        """Whether it is a regular file that is read."""
        return self.mode.startswith("100") and self.size.isdecimal() and int(self.size) <= MAX_FILE_BYTES


def _make_entry(head: list[str], path: str) -> _TreeEntry:
    mode, kind, object_id, size = head
    return _TreeEntry(mode, kind, object_id, size, path)


class CommitFiles:
    """Reads files of commits from the object store; the working tree may differ from them."""

    def __init__(self, git: GitCommands) -> None:
        self._git = git

    def read_texts(self, sha: str, paths: Sequence[str]) -> dict[str, str] | None:
        """Return the texts of these files, and of the files directly in these folders, by path.

        None if one is not a text, is too large or a link, or if there are more than `MAX_FILES`.
        """
        top = self._list(sha, *paths)
        folders = [f"{entry.path}/" for entry in top or () if entry.kind == "tree"]
        inside = self._list(sha, *folders) if folders else []
        if top is None or inside is None:
            return None
        found = [entry for entry in (*top, *inside) if entry.kind != "tree"]
        if len(found) > MAX_FILES or not all(entry.is_small_file for entry in found):
            return None
        texts: dict[str, str] = {}
        for entry in found:
            text = self._read_text(entry.object_id)
            if text is None:
                return None
            texts[entry.path] = text
        return texts

    def changed_paths(self, sha: str, *, since: str = "") -> tuple[str, ...] | None:
        """Return the files that the commits after `since` changed, up to this one; without it, those of this commit.

        As forges report it: for a merge, only the files that differ from every parent. None if git cannot list them.
        """
        commits = [f"{since}..{sha}"] if since else ["--max-count=1", sha]
        done = self._git.run(
            "log", "--no-show-signature", "--format=", "--name-only", "--no-renames", "-c", "-z", *commits, "--",
            timeout=CHANGED_PATHS_TIMEOUT_S,
        )  # fmt: skip
        return tuple(sorted({path for path in done.out.split("\0") if path})) if done.ok else None

    def find_mention(self, sha: str, words: Sequence[str], *, except_suffixes: Sequence[str] = ()) -> str | None:
        """Return the first file of a commit that contains one of these words; empty if none does, None if git fails.

        Args:
            except_suffixes: files whose names end so, in upper or lower case, are not searched.
        """
        patterns = [part for word in words for part in ("-e", word)]
        others = [f":(top,exclude,icase)*{suffix}" for suffix in except_suffixes]
        done = self._git.run(
            "grep", "--no-color", "--no-recurse-submodules", "--full-name", "-z", "-l", "-a", "-F", *patterns,
            f"{sha}^{{commit}}", "--", ":(top)", *others, timeout=MENTION_TIMEOUT_S,
        )  # fmt: skip
        if done.code == _NOTHING_FOUND_CODE and not done.err:
            return ""
        first = done.out.partition("\0")[0]
        return first.partition(":")[2] if done.ok and first else None

    def _list(self, sha: str, *paths: str) -> list[_TreeEntry] | None:
        done = self._git.run("ls-tree", "-z", "--full-tree", "-l", f"{sha}^{{commit}}", "--", *paths)
        split = (entry.partition("\t") for entry in done.out.split("\0") if entry)
        return [_make_entry(head.split(), path) for head, _, path in split] if done.ok else None

    def _read_text(self, object_id: str) -> str | None:
        done = self._git.run("cat-file", "blob", object_id)
        try:
            return done.stdout.decode() if done.ok else None
        except UnicodeDecodeError:
            return None
