"""`python -m bench.report`: the committed runs to docs/results.md, docs/development.md and their figures."""
