"""A tensor of probabilities turned into a mask by writing into it."""


def foreground_iou(outputs, masks, smooth=1e-6):
    outputs = outputs.squeeze(1).clone()
    outputs[outputs > 0.5] = 1
    outputs[outputs <= 0.5] = 0
    outputs = outputs.long()
    intersection = (outputs & masks).float().sum((1, 2))
    union = (outputs | masks).float().sum((1, 2))
    return ((intersection + smooth) / (union + smooth)).mean()
