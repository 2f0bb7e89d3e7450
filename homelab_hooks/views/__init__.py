"""Views hear events and nothing else."""
