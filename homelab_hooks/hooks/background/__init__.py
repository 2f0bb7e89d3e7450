"""The watch of a plain push, in a background process or in the foreground."""
