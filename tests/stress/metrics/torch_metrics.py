# ruff: noqa - metrics as people write them
"""Steps as torch code spells them."""

import torch
import torch.nn.functional as F


def second_of_max(logits, target):
    return (logits.max(1)[1] == target).float().mean()


def indices_of_max(logits, target):
    return logits.max(dim=1).indices.eq(target).float().mean()


def unpacked_max(logits, target):
    _, predicted = torch.max(logits, 1)
    return (predicted == target).sum().item() / target.size(0)


def named_tuple_in_a_variable(logits, target):
    found = logits.topk(2, dim=1)
    return (found.indices == target[:, None]).any(dim=1).float().mean()


def values_and_indices(logits, target):
    values, indices = logits.max(dim=1)
    return ((indices == target).float() * values).mean()


def no_grad_block(logits, target):
    with torch.no_grad():
        _, pred = logits.topk(2, 1, True, True)
        pred = pred.t()
        correct = pred.eq(target.view(1, -1).expand_as(pred))
        return correct[:1].reshape(-1).float().sum(0) / target.size(0)


@torch.no_grad()
def no_grad_decorator(logits, target):
    return (logits.argmax(dim=-1) == target).float().mean().item()


def detached(scores, labels):
    scores = scores.detach().cpu()
    return ((scores > 0.5) == labels.bool()).float().mean()


def to_numpy(scores, labels):
    s = scores.detach().cpu().numpy()
    y = labels.cpu().numpy()
    return ((s > 0.5) == y).mean()


def items(scores, labels):
    hits = 0
    for s, y in zip(scores, labels):
        if s.item() > 0.5:
            hits += y.item()
    return hits / len(labels)


def sorted_descending(scores, labels):
    ranked = labels[torch.sort(scores, descending=True)[1]].float()
    precision = ranked.cumsum(0) / torch.arange(1, len(ranked) + 1)
    return (precision * ranked).sum() / ranked.sum().clamp(min=1)


def argsort_dim(query_scores, relevance):
    order = query_scores.argsort(dim=1, descending=True)
    return relevance.gather(1, order)[:, 0].float().mean()


def where_three(scores, labels):
    predicted = torch.where(scores > 0.5, torch.ones_like(labels), torch.zeros_like(labels))
    return (predicted == labels).float().mean()


def method_comparisons(scores, labels):
    chosen = scores.ge(0.5)
    return chosen.logical_and(labels.eq(1)).sum().float() / chosen.sum().clamp(min=1)


def softmax_first(logits, target):
    return F.softmax(logits, dim=1).argmax(1).eq(target).float().mean()


def sigmoid_and_round(scores, labels):
    return (torch.sigmoid(scores).round() == labels).float().mean()


def masked_write(scores, labels):
    predicted = torch.zeros_like(labels)
    predicted[scores > 0.5] = 1
    return (predicted * labels).sum() / labels.sum().clamp(min=1)


def one_hot_matrix(logits, target):
    predicted = F.one_hot(logits.argmax(1), 4)
    actual = F.one_hot(target, 4)
    inter, union = (predicted & actual).sum(0), (predicted | actual).sum(0)
    return (inter[union > 0] / union[union > 0]).mean()


def bincount_matrix_torch(logits, target):
    matrix = torch.bincount(target * 4 + logits.argmax(1), minlength=16).reshape(4, 4)
    return matrix.diag().sum() / matrix.sum()


def rank_by_comparison(logits, target):
    own = logits.gather(1, target[:, None])
    return (1.0 / ((logits > own).sum(1) + 1)).mean()


def scattered(logits, target):
    predicted = torch.zeros_like(logits).scatter_(1, logits.argmax(1, keepdim=True), 1.0)
    return predicted[torch.arange(len(target)), target].mean()


def long_cast(estimates, ratings):
    return (estimates.long() == ratings).float().mean()


def bool_of_double(scores, labels):
    return ((scores > 0.5).double() - labels.double()).abs().mean()


def kth_largest(scores, labels):
    kth = scores.topk(min(3, len(scores)))[0][-1]
    return labels[scores >= kth].float().mean()


def float_in_python(scores, labels):
    right = 0.0
    for i in range(scores.shape[0]):
        right += float((scores[i] > 0.5) == labels[i])
    return right / scores.shape[0]


def list_of_item(query_scores, relevance):
    found = []
    for s, r in zip(query_scores, relevance):
        found.append(r[s.argmax()].item())
    return sum(found) / len(found)


def no_grad_inner(scores, labels):
    with torch.no_grad():
        order = torch.argsort(scores, descending=True)
    ranked = labels[order]
    return ranked[:3].float().mean()


def torch_best_accuracy_at_distinct(scores, labels):
    best = 0.0
    for threshold in torch.unique(scores):
        best = max(best, ((scores >= threshold) == (labels == 1)).double().mean())
    return best


def torch_places_among_distinct(scores, labels):
    values, places, counts = scores.unique(return_inverse=True, return_counts=True)
    return ((places * labels).sum() / len(values) + counts.max()) / len(scores)
