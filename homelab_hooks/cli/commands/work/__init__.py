"""Commands on branches and work trees."""
