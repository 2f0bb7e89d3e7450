"""The door to the network: one server, its certificate checked, its address pinned, every answer bounded."""
