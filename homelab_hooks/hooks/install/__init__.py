"""Puts our git hooks into a repository and takes them out again."""
