"""Galleries: their policies, their references in memory, and how both are kept up to date and searched."""
