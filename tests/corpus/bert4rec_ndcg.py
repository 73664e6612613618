"""NDCG at k of binary labels, on the CPU."""

import torch


def ndcg_at(scores, labels, k=4):
    scores = scores.cpu()
    labels = labels.cpu()
    ranking = (-scores).argsort(dim=1)
    top = ranking[:, :k]
    gains = labels.gather(1, top)
    places = torch.arange(2, 2 + k)
    discounts = 1 / torch.log2(places.float())
    reached = (gains.float() * discounts).sum(1)
    possible = torch.Tensor([discounts[: min(int(n), k)].sum() for n in labels.sum(1)])
    return (reached / possible).mean()
