"""The HTTP edge that other government systems call."""
