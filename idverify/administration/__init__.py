"""What administrators do with a deployment: open it, back it up, restore it, contain an incident, decide in pairs."""
