"""The pages on which staff sign in and see to their own account, and on which a station is activated."""
