"""Landing: merge the target in, verify, push exactly that, and say truthfully whether it is there."""
