"""Container registries: what they say about an image that runs."""
