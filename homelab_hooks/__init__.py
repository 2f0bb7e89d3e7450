"""The post-push hook git never had."""

__version__ = "0.1.0"
