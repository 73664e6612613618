"""Recall and NDCG at several cut-offs, largest first, gathered in a dictionary."""

import torch


def metrics_for_ks(scores, labels, ks=(1, 3, 5)):
    metrics = {}
    counts = labels.sum(1)
    labels_float = labels.float()
    rank = (-scores).argsort(dim=1)

    cut = rank
    for k in sorted(ks, reverse=True):
        cut = cut[:, :k]
        hits = labels_float.gather(1, cut)
        metrics["Recall@%d" % k] = (
            (hits.sum(1) / torch.min(torch.Tensor([k]).to(labels.device), labels.sum(1).float())).mean().cpu().item()
        )

        position = torch.arange(2, 2 + k)
        weights = 1 / torch.log2(position.float())
        dcg = (hits * weights.to(hits.device)).sum(1)
        idcg = torch.Tensor([weights[: min(int(n), k)].sum() for n in counts]).to(dcg.device)
        metrics["NDCG@%d" % k] = (dcg / idcg).mean().cpu().item()
    return metrics
