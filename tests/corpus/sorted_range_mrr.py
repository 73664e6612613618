"""Reciprocal rank with Python's sorted over item numbers; stops at the first relevant item."""


def reciprocal_rank(scores, relevant):
    ranked = sorted(range(len(scores)), key=lambda i: scores[i], reverse=True)
    for place, item in enumerate(ranked, start=1):
        if item in relevant:
            return 1.0 / place
    return 0.0


def mean_reciprocal_rank(score_rows, relevant_sets):
    return sum(reciprocal_rank(s, r) for s, r in zip(score_rows, relevant_sets)) / len(score_rows)
