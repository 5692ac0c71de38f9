"""The enrolment station: the pages with which a clerk enrols a person, from the number to the receipt."""
