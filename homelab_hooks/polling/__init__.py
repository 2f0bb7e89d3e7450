"""The poll loop that the subjects share: the outcome of a poll, lost contact, retries, and the heartbeat."""
