"""The desk of the fraud analysts: cases, blind second reviews, decisions, and what leaves as a signed instruction."""
