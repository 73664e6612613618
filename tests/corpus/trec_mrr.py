"""Reciprocal rank of a run of scored documents, held in dicts of dicts as evaluation tools for retrieval do."""


def run_mrr(run, qrels, k=10):
    """pytrec_eval-like: run {qid: {doc: score}}, qrels {qid: {doc: rel}}."""
    total = 0.0
    for qid, docs in run.items():
        ranked = sorted(docs.items(), key=lambda kv: -kv[1])[:k]
        for rank, (doc, _) in enumerate(ranked, 1):
            if qrels.get(qid, {}).get(doc, 0) > 0:
                total += 1.0 / rank
                break
    return total / len(run)
