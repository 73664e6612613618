"""Filtered link prediction with ranks by sorting twice; sums are kept in a dictionary and divided at the end."""

import torch


def accumulate(results, pred, obj, known):
    rows = torch.arange(pred.size()[0], device=pred.device)
    wanted = pred[rows, obj]
    pred = torch.where(known.bool(), -torch.ones_like(pred) * 10000000, pred)
    pred[rows, obj] = wanted
    ranks = 1 + torch.argsort(torch.argsort(pred, dim=1, descending=True), dim=1, descending=False)[rows, obj]
    ranks = ranks.float()
    results["count"] = torch.numel(ranks) + results.get("count", 0.0)
    results["mr"] = torch.sum(ranks).item() + results.get("mr", 0.0)
    results["mrr"] = torch.sum(1.0 / ranks).item() + results.get("mrr", 0.0)
    for k in range(3):
        key = "hits@{}".format(k + 1)
        results[key] = torch.numel(ranks[ranks <= (k + 1)]) + results.get(key, 0.0)
    return results


def filtered_mrr(pred, obj, known):
    results = accumulate({}, pred, obj, known)
    return round(results["mrr"] / results["count"], 5)
