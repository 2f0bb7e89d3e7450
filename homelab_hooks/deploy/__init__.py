"""Waits until a workload runs the commit's image and is rolled out."""
