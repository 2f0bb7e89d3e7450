"""The commands `homelab work ...`."""
