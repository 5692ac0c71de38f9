"""The enrolment station: a clerk's visit with a citizen from the number to the receipt."""
