"""Accounts of staff, what they sign in by, their sessions, and the stations that they sit at."""
