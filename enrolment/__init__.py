"""The application that enrols people: single photographs, bulk import, the clerks' station and its supervision."""
