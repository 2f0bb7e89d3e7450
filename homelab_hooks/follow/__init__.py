"""What follows a push: an ordered list of links (CI, rollouts), each run when the one before it succeeded."""
