"""Watching CI: what decides about a commit, and how long to wait for it."""
