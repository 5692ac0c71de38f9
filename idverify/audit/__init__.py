"""The audit log's events, Merkle tree and signed checkpoints, as values and pure functions; it stores nothing."""
