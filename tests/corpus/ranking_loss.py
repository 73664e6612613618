"""Label ranking loss: the share of wrongly ordered (true, false) label pairs of each sample."""


def ranking_loss(outputs, test_target):
    total = 0.0
    counted = 0
    for output, truth in zip(outputs, test_target):
        on = output[truth == 1]
        off = output[truth != 1]
        if len(on) == 0 or len(off) == 0:
            continue
        wrong = (on[:, None] <= off[None, :]).sum()
        total += wrong / (len(on) * len(off))
        counted += 1
    return total / max(counted, 1)
