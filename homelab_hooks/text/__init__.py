"""Sanitizes external text, redacts secrets, and formats values."""
