"""Finds out whether CI runs of a repository depend on the commit before them, from the files of a commit."""

from __future__ import annotations

from collections.abc import Callable

from homelab_hooks.app.pipeline_filter import read_ci_config
from homelab_hooks.ci.model import Repo
from homelab_hooks.ci.provider import Traits
from homelab_hooks.git.reader import ReadOnlyRepository
from homelab_hooks.text.sanitize import strip_control_chars

MARKDOWN_SUFFIXES = (".md", ".markdown")


def find_dependence(git: ReadOnlyRepository, sha: str, repo: Repo, traits: Traits) -> str:
    """Return the first sign at a commit that a run depends on the commit before it, in words; empty if none was found.

    What cannot be read counts as a sign: a newer run is taken for a repetition only if everything shows it.
    """
    paths = (repo.config_path.strip("/"),) if repo.config_path else traits.config_paths
    files = read_ci_config(git, sha, paths)
    if files is None:
        return "the configuration cannot be read"
    if sign := traits.find_dependence(files):
        return sign
    mention = git.files.find_mention(sha, traits.previous_state_words, except_suffixes=MARKDOWN_SUFFIXES)
    if mention is None:
        return "the files of the commit cannot be searched"
    words = " or ".join(f"{word}*" if word.endswith("_") else word for word in traits.previous_state_words)
    return f"{strip_control_chars(mention)} mentions {words}" if mention else ""


def cache_dependence(git: ReadOnlyRepository, traits: Traits) -> Callable[[Repo, str], str]:
    """Return a function like `find_dependence` that evaluates each commit once."""
    known: dict[str, str] = {}

    def find(repo: Repo, sha: str) -> str:
        if sha not in known:
            known[sha] = find_dependence(git, sha, repo, traits)
        return known[sha]

    return find
