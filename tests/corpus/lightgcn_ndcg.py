"""NDCG@K from the hit matrix of the recommended items, which is made from the ratings first."""

import numpy as np
import torch


def hit_matrix(test_data, recommended):
    r = []
    for i in range(len(test_data)):
        truth = test_data[i]
        row = recommended[i]
        pred = list(map(lambda x: x in truth, row))
        pred = np.array(pred).astype("float")
        r.append(pred)
    return np.array(r).astype("float")


def ndcg_of_hits(test_data, r, k):
    assert len(r) == len(test_data)
    pred_data = r[:, :k]

    test_matrix = np.zeros((len(pred_data), k))
    for i, items in enumerate(test_data):
        length = k if k <= len(items) else len(items)
        test_matrix[i, :length] = 1
    idcg = np.sum(test_matrix * 1.0 / np.log2(np.arange(2, k + 2)), axis=1)
    dcg = pred_data * (1.0 / np.log2(np.arange(2, k + 2)))
    dcg = np.sum(dcg, axis=1)
    idcg[idcg == 0.0] = 1.0
    ndcg = dcg / idcg
    ndcg[np.isnan(ndcg)] = 0.0
    return np.sum(ndcg)


def mean_ndcg(rating, test_data, k=4):
    _, rating_k = torch.topk(rating, k=k)
    r = hit_matrix(test_data, rating_k.cpu().numpy())
    return ndcg_of_hits(test_data, r, k) / len(test_data)
