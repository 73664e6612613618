"""AUC of every user, weighted by impressions; users are gathered in a dictionary."""

from collections import defaultdict


def auc_by_pairs(labels, preds):
    pos = [p for p, y in zip(preds, labels) if y == 1]
    neg = [p for p, y in zip(preds, labels) if y == 0]
    wins = 0.0
    for p in pos:
        for n in neg:
            if p > n:
                wins += 1.0
            elif p == n:
                wins += 0.5
    return wins / (len(pos) * len(neg))


def gauc(labels, preds, users):
    label_by_user = defaultdict(list)
    pred_by_user = defaultdict(list)
    for i, user in enumerate(users.tolist()):
        label_by_user[user].append(labels[i])
        pred_by_user[user].append(preds[i])
    total = 0
    weighted = 0.0
    for user in sorted(label_by_user):
        y = label_by_user[user]
        if 0 < sum(y) < len(y):
            weighted += len(y) * auc_by_pairs(y, pred_by_user[user])
            total += len(y)
    return weighted / total
