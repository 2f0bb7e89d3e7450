"""The forge: finds out its kind, and sends requests to its API (Gitea, Forgejo, GitHub)."""
