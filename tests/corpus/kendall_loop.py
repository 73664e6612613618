"""Kendall's tau-a by two loops."""


def kendall_tau(prediction, truth):
    n = len(truth)
    concordant = 0
    discordant = 0
    for i in range(n):
        for j in range(i + 1, n):
            product = (truth[i] - truth[j]) * (prediction[i] - prediction[j])
            if product > 0:
                concordant += 1
            elif product < 0:
                discordant += 1
    return (concordant - discordant) / (n * (n - 1) / 2)
