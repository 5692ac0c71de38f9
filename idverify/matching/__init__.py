"""Comparison, thresholds, decisions and search over embeddings in memory; it reads and writes no file."""
