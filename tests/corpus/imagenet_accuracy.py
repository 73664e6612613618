"""Top-1 and top-3 accuracy in percent."""

import torch


def top_accuracies(output, target, topk=(1, 3)):
    """For each k, the share of rows whose class is among the k highest outputs."""
    with torch.no_grad():
        deepest = max(topk)
        count = target.size(0)
        _, guesses = output.topk(deepest, 1, True, True)
        guesses = guesses.t()
        hits = guesses.eq(target.view(1, -1).expand_as(guesses))
        result = []
        for k in topk:
            hits_k = hits[:k].reshape(-1).float().sum(0, keepdim=True)
            result.append(hits_k.mul_(100.0 / count))
        return result
