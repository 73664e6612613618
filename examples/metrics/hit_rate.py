import torch


def hit_rate(scores, target, k=5):
    """Share of rows whose target item is among the k best, by counting the items above it."""
    target_score = torch.gather(scores, 1, target.view(-1, 1))
    rank = (scores > target_score).sum(dim=1)
    return (rank < k).float().mean()
