"""Which identities are the same face: searches, payroll checks, and reports that a person reads and decides on."""
