"""The CI provider for Actions of GitHub, Gitea, and Forgejo."""
