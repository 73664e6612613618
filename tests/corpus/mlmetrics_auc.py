"""AUC from ranks, ties getting their mean rank, in plain Python."""


def mean_ranks(x):
    pairs = sorted(zip(x, range(len(x))))
    r = [0 for _ in x]
    value = pairs[0][0]
    start = 0
    for i in range(len(pairs)):
        if value != pairs[i][0]:
            value = pairs[i][0]
            for j in range(start, i):
                r[pairs[j][1]] = float(start + 1 + i) / 2.0
            start = i
        if i == len(pairs) - 1:
            for j in range(start, i + 1):
                r[pairs[j][1]] = float(start + i + 2) / 2.0
    return r


def auc(actual, posterior):
    r = mean_ranks(posterior)
    num_positive = len([0 for x in actual if x == 1])
    num_negative = len(actual) - num_positive
    sum_positive = sum([r[i] for i in range(len(r)) if actual[i] == 1])
    return (sum_positive - num_positive * (num_positive + 1) / 2.0) / (num_negative * num_positive)
