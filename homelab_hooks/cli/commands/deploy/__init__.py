"""The commands `homelab deploy ...`."""
