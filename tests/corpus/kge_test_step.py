"""Link prediction, lifted out of the test loop: the filtered rank of each true tail and its summaries."""

import torch


def ranking_metrics(score, positive_arg, filter_bias):
    logs = []
    score = score + filter_bias

    order = torch.argsort(score, dim=1, descending=True)
    for i in range(score.size(0)):
        # the place of the true entity in the order
        place = (order[i, :] == positive_arg[i]).nonzero()
        assert place.size(0) == 1
        place = 1 + place.item()
        logs.append(
            {
                "MRR": 1.0 / place,
                "MR": float(place),
                "HITS@1": 1.0 if place <= 1 else 0.0,
                "HITS@3": 1.0 if place <= 3 else 0.0,
            }
        )

    metrics = {}
    for name in logs[0].keys():
        metrics[name] = sum([log[name] for log in logs]) / len(logs)
    return metrics
