"""The settings: their table, their sources, and the value that counts."""
