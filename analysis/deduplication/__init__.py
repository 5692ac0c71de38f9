"""Deduplication: searches and payroll checks for one face under several identities, and reports of what they found."""
