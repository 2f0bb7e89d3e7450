"""A simulated Kubernetes API server, as kubectl sees it."""
