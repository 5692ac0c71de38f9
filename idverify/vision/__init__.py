"""From photograph bytes to an embedding: every stage that looks at pixels, and none that stores or decides."""
