"""What a supervisor sees of the stations: a day's enrolments, refusals and failures, by clerk and station."""
