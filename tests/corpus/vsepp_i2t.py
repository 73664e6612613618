"""Image-to-caption recall; image i owns captions 5i to 5i+4 and is stored five times."""

import numpy as np


def similarity_order(image, captions):
    sims = np.dot(image, captions.T).flatten()
    return np.argsort(sims)[::-1]


def image_to_text(images, captions, npts=None, return_ranks=False):
    if npts is None:
        npts = images.shape[0] // 5
    ranks = np.zeros(npts)
    first = np.zeros(npts)
    for index in range(npts):
        im = images[5 * index].reshape(1, images.shape[1])
        inds = similarity_order(im, captions)

        # the best place of any of the five
        rank = 1e20
        for i in range(5 * index, 5 * index + 5, 1):
            place = np.where(inds == i)[0][0]
            if place < rank:
                rank = place
        ranks[index] = rank
        first[index] = inds[0]

    r1 = 100.0 * len(np.where(ranks < 1)[0]) / len(ranks)
    r5 = 100.0 * len(np.where(ranks < 5)[0]) / len(ranks)
    medr = np.floor(np.median(ranks)) + 1
    meanr = ranks.mean() + 1
    if return_ranks:
        return (r1, r5, medr, meanr), (ranks, first)
    else:
        return (r1, r5, medr, meanr)
