"""The scenarios of `homelab demo`, and the environment they run in."""
