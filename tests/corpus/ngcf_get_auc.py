"""AUC of one user's test items, held in a dictionary of scores that is sorted by value."""

from sklearn.metrics import roc_auc_score


def auc_of(ground_truth, prediction):
    try:
        value = roc_auc_score(y_true=ground_truth, y_score=prediction)
    except Exception:
        value = 0.0
    return value


def user_auc(ratings, test_items, positives):
    item_score = {}
    for i in test_items:
        item_score[i] = ratings[i]
    ranked = sorted(item_score.items(), key=lambda kv: kv[1])
    ranked.reverse()
    items = [x[0] for x in ranked]
    posterior = [x[1] for x in ranked]

    r = []
    for i in items:
        if i in positives:
            r.append(1)
        else:
            r.append(0)
    return auc_of(ground_truth=r, prediction=posterior)
