"""Verbs on kubectl; its JSON becomes our facts, its errors become looks."""
