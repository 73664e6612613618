"""Top-k accuracies in percent, as a classification trainer logs them."""

import torch


def accuracy(output, target, topk=(1,)):
    with torch.no_grad():
        most = max(topk)
        rows = target.size(0)

        _, best = output.topk(most, 1, True, True)
        best = best.t()
        right = best.eq(target.reshape(1, -1).expand_as(best))

        percentages = []
        for k in topk:
            right_k = right[:k].reshape(-1).float().sum(0, keepdim=True)
            percentages.append(right_k.mul_(100.0 / rows)[0])
        return percentages
