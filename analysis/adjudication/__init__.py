"""Adjudication by fraud analysts: cases, blind second reviews, decisions, and signed instructions that follow."""
