"""Where CI's token comes from: the environment, Vault, git's credential helpers."""
