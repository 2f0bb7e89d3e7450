"""The git hooks: installing them, the pre-push gates, and the background watch of a push."""
