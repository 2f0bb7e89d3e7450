"""Access to this machine: processes, clock, signals, files, and the terminal."""
