"""The application that puts people in: capture, enrolment, bulk import and duplicate search."""
