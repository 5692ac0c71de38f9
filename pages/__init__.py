"""The kit that every page for people stands on: rendering, languages, sessions, security, errors as pages."""
