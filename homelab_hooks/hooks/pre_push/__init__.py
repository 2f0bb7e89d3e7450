"""What runs before a push and may refuse it."""
