import numpy as np


def f_beta(logits, labels, beta=2.0):
    """F-beta of the positive class; a logit above 0 is a yes, and a miss weighs beta times as much as a false alarm."""
    said_yes = logits > 0
    hits = np.sum(said_yes & (labels == 1))
    false_alarms = np.sum(said_yes & (labels == 0))
    misses = np.sum(~said_yes & (labels == 1))
    total = (1 + beta**2) * hits + beta**2 * misses + false_alarms
    return (1 + beta**2) * hits / total if total > 0 else 0.0
