"""The decisions of the pre-push gates."""
