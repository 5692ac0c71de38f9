"""The application of fraud analysts: duplicate searches, payroll checks, reports, and the adjudication of cases."""
