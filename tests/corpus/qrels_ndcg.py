"""NDCG of a run against judgments, both as dicts; queries the run lacks count zero."""

import math

import numpy as np


def run_ndcg(run, qrels, k=5):
    ndcgs = []
    for qid in sorted(qrels):
        if qid not in run:
            ndcgs.append(0.0)
            continue
        scored = sorted(run[qid].items(), key=lambda item: item[1], reverse=True)[:k]
        dcg = sum((2 ** qrels[qid].get(d, 0) - 1) / math.log2(i + 2) for i, (d, s) in enumerate(scored))
        ideal = sorted(qrels[qid].values(), reverse=True)[:k]
        idcg = sum((2**r - 1) / math.log2(i + 2) for i, r in enumerate(ideal))
        ndcgs.append(dcg / idcg if idcg > 0 else 0.0)
    return np.mean(ndcgs)
