"""The HTTP API that other government systems call. It decides nothing about a face: the library does."""
