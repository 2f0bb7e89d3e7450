"""Rollouts of Kubernetes workloads, by kubectl."""
