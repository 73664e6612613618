"""Median rank of the right caption, read from a similarity matrix with the right pairs on its diagonal."""

import torch


def median_rank(similarity):
    ranks = torch.empty(similarity.size(0))
    for i in range(similarity.size(0)):
        order = torch.argsort(similarity[i], descending=True)
        ranks[i] = torch.where(order == i)[0][0]
    return torch.floor(torch.median(ranks)) + 1
