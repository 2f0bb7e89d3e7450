"""Builds the real objects from the environment and the settings, and runs one command."""
