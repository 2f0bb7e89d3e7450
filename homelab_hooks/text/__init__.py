"""Text: what may be shown, what must not be, and how it is worded."""
