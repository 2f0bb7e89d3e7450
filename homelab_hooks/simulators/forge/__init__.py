"""A simulated Gitea or Forgejo: repositories, branches, and webhooks, as the recordings of a real server answer."""
