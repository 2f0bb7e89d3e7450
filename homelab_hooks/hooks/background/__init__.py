"""Watches CI for a plain push, as a process of its own."""
