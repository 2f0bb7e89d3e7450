"""One module a command, in the folder of its group: what it takes, and what it does."""
