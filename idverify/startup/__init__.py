"""What a service does before it answers: verifies everything that is stored and opens every template, on all cores."""
