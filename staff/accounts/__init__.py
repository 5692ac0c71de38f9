"""Accounts of staff, their credentials and sessions, and the enrolment stations that they work at."""
