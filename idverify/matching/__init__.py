"""Comparison, thresholds, decisions and search over embeddings in memory; nothing here touches a disk."""
