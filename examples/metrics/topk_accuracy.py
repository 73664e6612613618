import torch


@torch.no_grad()
def topk_accuracy(output, target, topk=3):
    """Computes the precision@k, in percent, for the specified value of k."""
    maxk = min(topk, output.size(1))
    batch_size = target.size(0)

    _, pred = output.topk(maxk, 1, True, True)
    pred = pred.t()
    correct = pred.eq(target.view(1, -1).expand_as(pred))

    correct_k = correct[:maxk].reshape(-1).float().sum(0)
    return correct_k * (100.0 / batch_size)
