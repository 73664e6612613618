import torch


def ndcg(scores, labels, k=10):
    """NDCG@k of a batch of users, binary relevance (users, items)."""
    scores = scores.cpu()
    labels = labels.cpu()
    k = min(k, scores.size(1))
    rank = (-scores).argsort(dim=1)
    cut = rank[:, :k]
    hits = labels.gather(1, cut)
    position = torch.arange(2, 2 + k)
    weights = 1 / torch.log2(position.float())
    dcg = (hits.float() * weights).sum(1)
    idcg = torch.Tensor([weights[: min(int(n), k)].sum() for n in labels.sum(1)]).clamp(min=1e-9)
    return (dcg / idcg).mean()
