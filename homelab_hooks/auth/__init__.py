"""The sources of the CI token."""
