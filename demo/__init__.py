"""The main job told as a story with figures: what `make demo` runs."""
