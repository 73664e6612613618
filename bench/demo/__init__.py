"""The demo: three metrics compiled by the real command line, trained on, and compared with the usual hand-made losses."""
