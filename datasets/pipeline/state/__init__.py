"""What a build keeps between and during runs: ledger, locks, checkpoints, private folder, and the context of a build."""
