"""What every benchmark shares: tasks, losses by name, one training run, its record, many runs at once, learning rates, statistics."""
