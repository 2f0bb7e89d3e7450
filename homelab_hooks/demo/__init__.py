"""The demo: the real commands against simulated services."""
