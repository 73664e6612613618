"""Losses of other packages, trained as the tasks' hand-made losses are: same data, batches, learning rates and seeds."""
