"""The view on a terminal."""
