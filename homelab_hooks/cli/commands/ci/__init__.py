"""The commands `homelab ci ...`."""
