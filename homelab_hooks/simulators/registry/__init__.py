"""A simulated container registry, as the recordings of Gitea's and of the distribution registry answer."""
