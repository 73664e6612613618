"""Recall of one query whose documents and scores are a dict."""


def single_run_recall(scores, relevant, k=3):
    """scores: {doc_id: score}"""
    top = sorted(scores, key=scores.get, reverse=True)[:k]
    return len(set(top) & set(relevant)) / len(relevant)
