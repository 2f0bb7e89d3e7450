"""Files that git-crypt must encrypt, and whether commits contain them encrypted."""

from __future__ import annotations

from homelab_hooks.git.command import GitCommands, split_arguments
from homelab_hooks.git.location import Location

_ENCRYPTED = b"\0GITCRYPT\0"
_FILTER = "git-crypt"


class GitCrypt:
    """Reads committed files; needs no git-crypt key."""

    def __init__(self, git: GitCommands, location: Location) -> None:
        self._git = git
        self._location = location

    def plaintext_files(self, sha: str, *, since: str) -> tuple[str, ...]:
        """Return files that .gitattributes assigns to git-crypt and that are in plaintext in a commit.

        Args:
            since: commits that this one contains are skipped; if empty, none are.
        """
        places = (":(top,glob).gitattributes", ":(top,glob)**/.gitattributes")
        if not self._git.run("grep", "--quiet", "--fixed-strings", f"filter={_FILTER}", sha, "--", *places).ok:
            return ()
        old = (f"^{since}",) if since else ()
        listed = self._git.lines("-c", "core.quotePath=false", "rev-list", "--objects", sha, *old)
        named = [line.partition(" ")[::2] for line in listed]
        blobs = [(blob, path) for blob, path in named if path]
        given = self._encrypted_paths([path for _, path in blobs])
        return tuple(sorted({path for blob, path in blobs if path in given and self._is_plaintext(blob)}))

    def _encrypted_paths(self, paths: list[str]) -> set[str]:
        found = set()
        top = str(self._location.top_level())
        for chunk in split_arguments(paths):
            parts = self._git.run("-C", top, "check-attr", "-z", "filter", "--", *chunk).out.split("\0")
            found |= {path for path, value in zip(parts[::3], parts[2::3], strict=False) if value.startswith(_FILTER)}
        return found

    def _is_plaintext(self, blob: str) -> bool:
        done = self._git.run("cat-file", "blob", blob)
        return done.ok and bool(done.stdout) and not done.stdout.startswith(_ENCRYPTED)
