"""The poll loop for CI and for rollouts: the outcome of a poll, outages, retries, and the heartbeat."""
