"""A scripted CI, git server and cluster that the real path runs against."""
