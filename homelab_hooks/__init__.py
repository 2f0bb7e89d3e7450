"""Lands a branch, watches CI, and waits for the rollout."""

__version__ = "0.2.0"
