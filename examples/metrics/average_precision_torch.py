import torch


def average_precision(preds, target):
    """Average precision of one ranking, torch tensors in and out."""
    target = target[torch.argsort(preds, descending=True)]
    if target.sum() == 0:
        return torch.tensor(0.0)
    positions = torch.arange(1, len(target) + 1, dtype=torch.float32, device=target.device)[target > 0]
    found = torch.arange(1, len(positions) + 1, dtype=torch.float32, device=target.device)
    return (found / positions).mean()
