"""Where CI's token comes from."""
