"""The edge to the network: HTTP to one server, with a pinned address and a checked certificate."""
