"""The settings: their table, their sources, and which source wins."""
