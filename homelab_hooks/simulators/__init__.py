"""Simulated servers and real repositories, for the demo and the tests."""
