"""What we claim, measured: accuracy, the time of every stage, and the pictures that show them."""
