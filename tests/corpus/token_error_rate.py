"""Error rate of greedily decoded sequences: edit distance over length."""


def edit_distance(a, b):
    previous = list(range(len(b) + 1))
    for i, x in enumerate(a, start=1):
        current = [i]
        for j, y in enumerate(b, start=1):
            current.append(min(previous[j] + 1, current[j - 1] + 1, previous[j - 1] + (x != y)))
        previous = current
    return previous[-1]


def token_error_rate(logits, references, end=0):
    decoded = logits.argmax(dim=-1).tolist()
    errors, length = 0, 0
    for guess, reference in zip(decoded, references):
        if end in guess:
            guess = guess[: guess.index(end)]
        errors += edit_distance(guess, reference)
        length += len(reference)
    return errors / length
