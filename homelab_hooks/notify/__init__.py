"""Notifications: what is sent, when, and through Apprise."""
