"""The edge to this machine: processes, clock, signals, terminal."""
