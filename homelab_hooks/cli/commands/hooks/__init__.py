"""Commands on git hooks, and those that git hooks call."""
