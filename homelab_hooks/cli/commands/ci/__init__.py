"""Commands on CI."""
