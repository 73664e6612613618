"""`python -m bench.report`: the committed runs to docs/results.md and its figures."""
