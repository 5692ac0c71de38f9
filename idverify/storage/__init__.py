"""The database. No other part of the library speaks SQL; here sealed values are stored and none is opened."""
