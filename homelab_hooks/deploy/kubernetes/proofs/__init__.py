"""What each image proof shows about a workload: pure functions of a snapshot and its evidence."""
