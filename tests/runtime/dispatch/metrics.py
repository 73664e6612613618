"""Small stand-ins for what libraries do with scores; each is run as it is, never compiled."""

from __future__ import annotations

import heapq

import numpy as np
import torch


def without_gradients(preds, target):
    """A library's helper: gradients off, detached, checked, a sigmoid where logits come in."""
    with torch.no_grad():
        preds = preds.detach()
        if not torch.all((preds >= 0) * (preds <= 1)):
            preds = preds.sigmoid()
        predicted = (preds > 0.5).int()
        hits = (predicted * target).sum()
        return 2 * hits / (predicted.sum() + target.sum())


@torch.inference_mode()
def in_inference_mode(preds, target):
    return (preds.argmax(1) == target).float().mean()


def through_numpy(preds, target):
    order = np.argsort(-preds.cpu().numpy(), kind="stable")
    hits = target.numpy()[order]
    return float((np.cumsum(hits) / np.arange(1, len(hits) + 1) * hits).sum() / hits.sum())


def curve(scores, labels):
    """The area under the curve of distinct thresholds."""
    scores, labels = np.asarray(scores), np.asarray(labels)
    order = np.argsort(scores, kind="mergesort")[::-1]
    ends = np.r_[np.where(np.diff(scores[order]))[0], len(scores) - 1]
    tps = np.r_[0, np.cumsum(labels[order])[ends]]
    fps = np.r_[0, (1 + ends) - np.cumsum(labels[order])[ends]]
    return (
        np.trapezoid(tps, fps) / (tps[-1] * fps[-1])
        if hasattr(np, "trapezoid")
        else np.trapz(tps, fps) / (tps[-1] * fps[-1])
    )


def sorted_items(scores, labels):
    """Dictionaries of floats, as retrieval toolkits hold them."""
    run = {f"d{i}": float(s) for i, s in enumerate(scores)}
    for rank, (name, _) in enumerate(sorted(run.items(), key=lambda item: item[1], reverse=True), 1):
        if labels[int(name[1:])]:
            return 1 / rank
    return 0.0


def best_pair(scores, labels):
    """The largest tuple whose second entry is a score."""
    chosen = max((int(label), score, place) for place, (score, label) in enumerate(zip(scores, labels)))
    return float(chosen[2]) / len(labels)


def top_by_heap(scores, labels, k=3):
    chosen = heapq.nlargest(k, range(len(scores)), key=lambda i: scores[i])
    return sum(labels[i] for i in chosen) / k


def distinct_levels(scores, labels):
    """unique with everything it returns."""
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    return float((np.cumsum(counts)[inverse] * labels).sum() / (len(scores) * labels.sum()))


def kolmogorov(scores, labels):
    """searchsorted among scores."""
    positive, negative = scores[labels == 1], scores[labels == 0]
    everything = np.sort(np.concatenate([positive, negative]))
    above = np.searchsorted(np.sort(positive), everything, side="right") / len(positive)
    below = np.searchsorted(np.sort(negative), everything, side="right") / len(negative)
    return np.max(np.abs(above - below))


def binned(preds, target):
    """Calibration error: bins are steps, confidences reach the value."""
    edges = torch.linspace(0, 1, 6)
    place = torch.bucketize(preds, edges[1:-1])
    total = preds.new_zeros(())
    for k in range(5):
        inside = place == k
        if inside.any():
            total = total + (preds[inside].mean() - target[inside].float().mean()).abs() * inside.float().mean()
    return total


def loop_over_pairs(scores, labels):
    """Comparisons of numbers, one by one."""
    right = total = 0
    for i in range(len(scores)):
        for j in range(len(scores)):
            if labels[i] > labels[j]:
                total += 1
                right += bool(scores[i] > scores[j])
    return right / total


def rounded(scores, labels):
    return np.mean(np.clip(np.rint(scores), 0, 3).astype(int) == labels)


class Stateful:
    """A metric object with a method."""

    def __init__(self, k):
        self.k = k

    def compute(self, scores, labels):
        return labels[np.argsort(scores)[::-1][: self.k]].mean()


TORCH = (without_gradients, through_numpy, binned)
NUMPY = (curve, sorted_items, best_pair, top_by_heap, distinct_levels, kolmogorov, loop_over_pairs)
