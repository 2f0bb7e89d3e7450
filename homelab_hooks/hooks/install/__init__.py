"""Installs our git hooks in a repository and uninstalls them."""
