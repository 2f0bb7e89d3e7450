"""Watches CI: polls the pipelines of a commit until they have finished, and returns the verdict."""
