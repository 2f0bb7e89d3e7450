"""One module for each command, in the folder of its group."""
