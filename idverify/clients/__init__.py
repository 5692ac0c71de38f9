"""Client agencies: who they are, how they prove it, what they may do and how often. Nothing here knows HTTP."""
