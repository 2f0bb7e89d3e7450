"""CI providers: what a watch needs of one, and those that there are."""
