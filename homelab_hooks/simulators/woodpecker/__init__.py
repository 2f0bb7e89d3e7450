"""A simulated Woodpecker server."""
