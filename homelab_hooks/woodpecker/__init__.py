"""Woodpecker's REST API: their JSON to our model, their answers to looks."""
