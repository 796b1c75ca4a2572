"""What a build keeps on disk: ledger, locks, checkpoints, private folder."""
