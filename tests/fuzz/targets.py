"""Each reader of something outside, with what it promises whatever comes."""

from __future__ import annotations

from tests.fuzz import of_ci, of_cluster, of_files, of_git, of_tokens, of_words
from tests.fuzz.fed import Fed

TARGETS: dict[str, Fed] = {
    **of_ci.TARGETS,
    **of_cluster.TARGETS,
    **of_tokens.TARGETS,
    **of_git.TARGETS,
    **of_files.TARGETS,
    **of_words.TARGETS,
}
"""each reader by its name"""
