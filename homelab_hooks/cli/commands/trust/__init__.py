"""The commands `homelab trust ...`."""
