"""What follows a push: the links of the chain."""
