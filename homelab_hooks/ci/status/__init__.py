"""The CI provider for commit statuses and checks of a forge: for any CI that reports to it."""
