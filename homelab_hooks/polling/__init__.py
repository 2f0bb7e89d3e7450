"""Polling: the outcome of a request, and the loop that drives a decision."""
