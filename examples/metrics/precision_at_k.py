def precision_at_k(scores, relevant, k=5):
    """Precision of the k best items of each user, plain Python.

    scores: one row of item scores a user; relevant: one set (or list) of item numbers a user.
    """
    total = 0.0
    for user, row in enumerate(scores):
        best_first = sorted(range(len(row)), key=lambda item: row[item], reverse=True)
        hits = [item for item in best_first[:k] if item in relevant[user]]
        total += len(hits) / k
    return total / len(scores)
