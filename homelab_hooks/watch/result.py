"""The result of one pipeline, or what is still needed to determine it."""

from __future__ import annotations

from enum import Enum, auto
from typing import NamedTuple

from homelab_hooks.exit_codes import ExitCode


class Ruling(NamedTuple):
    """The result of a pipeline: the exit code, what happened, and what to do."""

    exit: ExitCode
    reason: str
    hint: str = ""


class Undecided(Enum):
    """What is still needed to determine the result of a pipeline."""

    RUNNING = auto()
    """the end of the pipeline"""
    DETAIL = auto()
    """its detail: the workflows behind the status"""
    SUCCESSOR = auto()
    """the pipeline that superseded it"""
    CONTAINMENT = auto()
    """whether the superseding commit contains the watched one"""
    EVIDENCE = auto()
    """whether the superseding pipeline repeats its work: both's workflows, and the configuration at both commits"""
    FOLLOW = auto()
    """nothing: the superseding pipeline is to be followed, because it includes the work of this one"""
