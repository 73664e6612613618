"""Accuracy over a dict of probabilities, one a user."""


def dict_accuracy(predictions, labels, threshold=0.5):
    """{user: probability}"""
    hit = 0
    for user in predictions:
        guess = 1 if predictions[user] >= threshold else 0
        hit += guess == labels[user]
    return hit / len(predictions)
