"""Gini by Python's own sort of (truth, prediction, place) rows."""


def gini(actual, pred):
    rows = [(a, p, i) for i, (a, p) in enumerate(zip(actual, pred))]
    rows = sorted(rows, key=lambda row: (-row[1], row[2]))
    total = sum(row[0] for row in rows)
    running = 0.0
    area = 0.0
    for row in rows:
        running += row[0]
        area += running / total
    area -= (len(actual) + 1) / 2.0
    return area / len(actual)


def normalized_gini(actual, pred):
    return gini(actual, pred) / gini(actual, actual)
