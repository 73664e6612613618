"""Link prediction: optimistic and pessimistic ranks by counting, other true answers masked out."""


def filtered_hits_at_k(scores, target, other_answers, k=2):
    scores = scores.masked_fill(other_answers, -1e9)
    own = scores.gather(1, target.unsqueeze(1))
    better = (scores > own).sum(dim=1)
    as_good = (scores >= own).sum(dim=1)
    rank = 0.5 * (better + 1 + as_good)
    return (rank <= k).float().mean()
