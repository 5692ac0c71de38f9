"""Seals what goes into the store and opens it for the length of a transaction; nothing here decides about a person."""
