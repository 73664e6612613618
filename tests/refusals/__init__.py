"""Metrics that are refused, as users write them; `# E: CODE text` marks where the caret must stand and on what."""
