def looked_up(scores, table):
    total = 0.0
    for i in range(len(scores)):
        total += table[scores[i]]  # E: M2L302 table[scores[i]]
    return total
