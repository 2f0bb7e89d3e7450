"""Builds the real objects and runs one command."""
