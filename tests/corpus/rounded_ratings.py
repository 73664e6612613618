"""Share of ratings that are exact after Python's own rounding."""


def exact_ratings(predictions, ratings):
    right = 0
    for p, r in zip(predictions, ratings):
        if int(round(float(p))) == int(r):
            right += 1
    return right / len(ratings)
