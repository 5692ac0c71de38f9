"""Clerks, supervisors and analysts: their accounts, how they sign in, and the application of all pages for them."""
