"""Woodpecker CI."""
