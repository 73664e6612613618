"""Scores written through views of arrays, and seen through others."""

import numpy as np


def doubled_through_a_slice(scores, labels):
    buffer = scores.copy()
    part = buffer[:3]
    part[...] = part * 2
    order = np.argsort(-buffer)
    return labels[order][:4].mean()


def raised_in_place(scores, labels):
    buffer = scores.copy()
    half = buffer[len(buffer) // 2 :]
    half += 0.25
    return ((buffer > 0.5) == labels).mean()


def filled_from_both_ends(scores, labels):
    buffer = np.zeros(len(scores))
    middle = len(scores) // 2
    front, back = buffer[:middle], buffer[middle:]
    front[:] = scores[:middle]
    back[:] = scores[middle:][::-1]
    return ((buffer > 0.5) == labels).mean()


def seen_through_another_view(query_scores, relevance):
    buffer = query_scores.copy()
    flat, turned = buffer.reshape(-1), buffer.T
    flat[::2] = 1 - flat[::2]
    turned[1] *= 0.5
    return (relevance[np.arange(len(buffer)), buffer.argmax(1)] > 0).mean() + (flat > 0.75).mean()


def rows_of_a_loop(query_scores, relevance):
    buffer = query_scores.copy()
    for row in buffer:
        row -= row.min()
    for k in range(len(buffer)):
        view = buffer[k]
        view[view > 0.5] = 0.5
    return np.mean((buffer > 0.25) * relevance)


def reversed_view(scores, labels):
    buffer = scores.copy()
    backwards = buffer[::-1]
    backwards[0] = 0.0
    return ((buffer > 0.25) == labels).mean()


def a_copy_is_no_view(scores, labels):
    buffer = scores.copy()
    taken = buffer[[0, -1]]
    taken += 1.0
    flat = buffer.flatten()
    flat[:] = 0.0
    other = np.array(buffer)
    other[:] = 0.0
    return ((buffer > 0.5) == labels).mean()


def the_same_array_under_another_name(scores, labels):
    buffer = np.asarray(scores) * 1.0
    same = np.asarray(buffer)
    same[0] = 1.0 - same[0]
    return ((buffer > 0.5) == labels).mean()


def split_in_two(scores, labels):
    buffer = scores.copy()
    first, second = np.array_split(buffer, 2)
    second[:] = 1 - second
    return labels[np.argsort(-buffer)][:3].mean() + (first > 0.5).mean()


def counts_in_a_view(scores, labels):
    table = np.zeros((2, 2))
    hits = table[1]
    for s, y in zip(scores, labels):
        hits[int(y)] += s > 0.5
    return table.sum(0)[1] / max(labels.sum(), 1)


def copied_where_relevant(scores, labels):
    buffer = scores.copy()
    np.copyto(buffer, 1 - scores, where=labels == 1)
    return ((buffer > 0.5) == labels).mean()


def put_where_relevant(scores, labels):
    buffer = scores.copy()
    np.putmask(buffer, labels == 1, 1 - scores)
    return ((buffer > 0.5) == labels).mean()


def put_along_an_axis(query_scores, relevance):
    buffer = query_scores.copy()
    np.put_along_axis(buffer, relevance.argmax(1)[:, None], 1 - query_scores[:, :1], axis=1)
    return (relevance[np.arange(len(buffer)), buffer.argmax(1)] > 0).mean()


def placed_one_after_the_other(scores, labels):
    buffer = scores.copy()
    np.place(buffer, labels == 1, 1 - scores[:2])
    return ((buffer > 0.5) == labels).mean()
