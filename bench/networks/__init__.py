"""The networks of the papers, and small ones of the same kind for the bundled data."""
