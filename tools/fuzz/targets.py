"""Each reader of something outside, with what it promises whatever comes."""

from __future__ import annotations

from tools.fuzz import (
    agent_readers,
    ci_readers,
    cluster_readers,
    completion_readers,
    file_readers,
    forge_readers,
    git_readers,
    link_readers,
    mcp_readers,
    notify_readers,
    registry_readers,
    text_readers,
    token_readers,
)
from tools.fuzz.fed import FuzzTarget

TARGETS: dict[str, FuzzTarget] = {
    **ci_readers.TARGETS,
    **cluster_readers.TARGETS,
    **token_readers.TARGETS,
    **forge_readers.TARGETS,
    **git_readers.TARGETS,
    **link_readers.TARGETS,
    **registry_readers.TARGETS,
    **file_readers.TARGETS,
    **text_readers.TARGETS,
    **agent_readers.TARGETS,
    **mcp_readers.TARGETS,
    **notify_readers.TARGETS,
    **completion_readers.TARGETS,
}
"""each reader by its name"""
