"""A simulated Kubernetes API server for kubectl."""
