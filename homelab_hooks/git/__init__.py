"""Verbs on git; nobody else builds its command lines."""
