"""Simulated servers and temporary git repositories, for the demo and the tests."""
