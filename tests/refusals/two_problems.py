import numpy as np
from scipy.signal import find_peaks
from scipy.spatial import ConvexHull


def peaks_and_hulls(scores, labels):
    peaks, _ = find_peaks(scores)  # E: M2L301 find_peaks(scores)
    hull = ConvexHull(scores)  # E: M2L301 ConvexHull(scores)
    return np.mean(peaks == labels) + len(hull.vertices)
