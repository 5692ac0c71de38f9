"""The supervisor's pages: a day's enrolments, refusals and failures, by clerk and station."""
