"""MRR@k of a search run kept as {query: {document: score}}."""


def mrr(qrels, results, k):
    total = 0.0
    for query in qrels:
        relevant = {doc for doc, grade in qrels[query].items() if grade > 0}
        top = sorted(results[query].items(), key=lambda item: item[1], reverse=True)[:k]
        for rank, (doc, _) in enumerate(top):
            if doc in relevant:
                total += 1.0 / (rank + 1)
                break
    return round(total / len(qrels), 5)


def run_mrr(scores, relevance):
    results = {f"q{i}": {f"d{j}": s for j, s in enumerate(row)} for i, row in enumerate(scores)}
    qrels = {f"q{i}": {f"d{j}": int(g) for j, g in enumerate(row)} for i, row in enumerate(relevance)}
    return mrr(qrels, results, k=5)
