"""CI providers: their interface and their implementations."""
