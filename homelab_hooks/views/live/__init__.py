"""The live view, for terminals that can be redrawn."""
