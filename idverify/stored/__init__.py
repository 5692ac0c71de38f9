"""What lies sealed in the store, opened for the length of a transaction; nothing here decides anything."""
