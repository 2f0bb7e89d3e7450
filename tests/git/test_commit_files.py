"""Files of commits: what is read, and what a push changed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from homelab_hooks.git.commit_files import MAX_FILE_BYTES, MAX_FILES, CommitFiles
from homelab_hooks.git.reader import ReadOnlyRepository
from homelab_hooks.git.runner import DirectRunner
from homelab_hooks.simulators.repositories import Clone, ScratchRepositories

PATHS = (".woodpecker", ".woodpecker.yaml")


@pytest.fixture
def ann(workshop: ScratchRepositories) -> Clone:
    return workshop.clone("ann")


@pytest.fixture
def files(ann: Clone, seal: dict[str, str]) -> CommitFiles:
    return ReadOnlyRepository(DirectRunner(seal, ann.path)).files


def commit_all(clone: Clone) -> str:
    clone.git("add", "--all")
    clone.git("commit", "--quiet", "-m", "configuration")
    return clone.head


def test_the_files_are_those_of_the_commit_from_any_folder(ann: Clone, files: CommitFiles) -> None:
    """Not those of the working tree; a folder in the folder is not read."""
    ann.write(".woodpecker/a.yaml", "a\n")
    ann.write(".woodpecker/deep/b.yaml", "b\n")
    ann.write(".woodpecker.yaml", "ä\n")
    ann.write("docs/.woodpecker.yaml", "no\n")
    sha = commit_all(ann)
    ann.write(".woodpecker.yaml", "changed since\n")
    assert files.read_texts(sha, PATHS) == {".woodpecker/a.yaml": "a\n", ".woodpecker.yaml": "ä\n"}
    assert files.read_texts(f"{sha}~1", PATHS) == {}
    assert files.read_texts("0" * 40, PATHS) is None


def test_odd_files_are_not_read(ann: Clone, files: CommitFiles) -> None:
    def read(name: str, content: bytes | str) -> object:
        path = ann.path / name
        path.parent.mkdir(exist_ok=True)
        if isinstance(content, str):
            path.symlink_to(content)
        else:
            path.write_bytes(content)
        found = files.read_texts(commit_all(ann), PATHS)
        path.unlink()
        return found

    assert read(".woodpecker.yaml", "README") is None, "a link"
    assert read(".woodpecker.yaml", b"\xff\xfe") is None, "not UTF-8"
    assert read(".woodpecker.yaml", b"#" * MAX_FILE_BYTES + b"\n") is None, "too large"
    assert read(".woodpecker.yaml", b"") == {".woodpecker.yaml": ""}
    for number in range(MAX_FILES):
        ann.write(f".woodpecker/{number}.yaml", f"{number}\n")
    assert len(files.read_texts(commit_all(ann), PATHS) or {}) == MAX_FILES
    assert read(".woodpecker/more.yaml", b"") is None, "too many"


def test_the_changed_files_are_those_of_every_pushed_commit(ann: Clone, files: CommitFiles) -> None:
    """As forges report them: also what a later commit takes back, and never what only the merged side changed."""
    before = ann.head
    ann.git("config", "diff.renames", "true")
    ann.commit("a\nb")
    ann.commit("taken-back")
    ann.git("rm", "--quiet", "taken-back")
    ann.git("mv", "README", os.fsdecode(b"R\xc3\xa4"))
    sha = commit_all(ann)
    assert files.changed_paths(sha, since=before) == tuple(sorted(["a\nb", "taken-back", "README", "Rä"]))
    assert files.changed_paths(sha) == tuple(sorted(["taken-back", "README", "Rä"]))
    ann.git("switch", "--quiet", "-c", "topic", before)
    topic = ann.commit("topic-file")
    ann.git("merge", "--quiet", "--no-edit", "main")
    assert files.changed_paths(ann.head, since=sha) == ("topic-file",)
    assert files.changed_paths(ann.head) == (), "a merge without a change of its own"
    assert files.changed_paths(topic, since=topic) == ()
    assert files.changed_paths("0" * 40, since=before) is None


def test_files_are_read_in_a_bare_repository_too(workshop: ScratchRepositories, seal: dict[str, str]) -> None:
    clone = workshop.clone("bob")
    clone.commit(".woodpecker.yaml", "steps: []\n")
    clone.git("push", "--quiet", "origin", "HEAD:main")
    bare: Path = workshop.bare_path
    reader = ReadOnlyRepository(DirectRunner(seal, bare)).files
    assert reader.read_texts(clone.head, PATHS) == {".woodpecker.yaml": "steps: []\n"}


WORDS = ("CI_PREV_", "CI_PIPELINE_FILES")


def test_a_mention_is_found_in_the_files_of_the_commit_from_any_folder(ann: Clone, seal: dict[str, str]) -> None:
    before = ann.head
    ann.write("deep/down/apply.sh", "git diff $CI_PREV_COMMIT_SHA\n")
    sha = commit_all(ann)
    ann.write("deep/down/apply.sh", "changed since\n")
    inside = ReadOnlyRepository(DirectRunner(seal, ann.path / "deep")).files
    assert inside.find_mention(sha, WORDS) == "deep/down/apply.sh"
    assert inside.find_mention(before, WORDS) == ""
    assert inside.find_mention("0" * 40, WORDS) is None


@pytest.mark.parametrize(
    ("name", "content", "is_found"),
    [
        ("README.md", b"CI_PREV_X", False),
        ("docs/README.MD", b"CI_PREV_X", False),
        ("tool.bin", b"\0\0CI_PIPELINE_FILES\0", True),
        ("no newline: name.sh", b"CI_PREV_", True),
        ("lower", b"ci_prev_x", False),
        ("readme.md.sh", b"CI_PREV_X", True),
    ],
)
def test_a_mention_counts_except_in_files_that_only_describe(
    ann: Clone, files: CommitFiles, name: str, content: bytes, *, is_found: bool
) -> None:
    path = ann.path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    ann.write(".gitattributes", "* -diff\n")
    ann.git("config", "grep.lineNumber", "true")
    ann.git("config", "grep.column", "true")
    found = files.find_mention(commit_all(ann), WORDS, except_suffixes=(".md",))
    assert found == (name if is_found else "")
