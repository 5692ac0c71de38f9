"""What is done with an encounter once it is there: written into the register, marked for review, opened as a case."""
