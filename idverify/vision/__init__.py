"""Reads photographs, from bytes to embedding; it stores nothing and decides about nobody."""
