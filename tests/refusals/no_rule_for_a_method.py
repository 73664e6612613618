def tallest(scores, labels):
    best = scores.view_as_ranking()  # E: M2L301 scores.view_as_ranking()
    return (best == labels).mean()
