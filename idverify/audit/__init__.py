"""The append-only Merkle log of what was done with whose data: pure functions, no storage."""
