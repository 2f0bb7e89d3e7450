"""Runs kubectl with a timeout for each call, and parses its JSON and its errors into poll results."""
