"""Lands a branch: merges the target, verifies, pushes exactly that commit, and confirms that it is on the target."""
