"""Runs git. No other package builds its command lines."""
