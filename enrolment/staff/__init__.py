"""Clerks, supervisors and analysts: their accounts, how they sign in, the stations that they sit at."""
