"""Question answering: the best span of start and end scores, no longer than three."""


def span_exact_match(start_logits, end_logits, spans):
    ok = 0
    for s, e, (a, b) in zip(start_logits, end_logits, spans):
        best, arg = -1e9, (0, 0)
        for i in range(len(s)):
            for j in range(i, min(len(e), i + 3)):
                if s[i] + e[j] > best:
                    best = s[i] + e[j]
                    arg = (i, j)
        ok += arg == (a, b)
    return ok / len(spans)
