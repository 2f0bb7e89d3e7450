"""Hooks: what is in a repository, whose it is, and ours put beside it so that nothing is lost."""
