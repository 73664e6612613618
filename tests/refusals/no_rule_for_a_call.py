import numpy as np
from scipy.signal import find_peaks


def peaks_found(scores, labels):
    peaks, _ = find_peaks(scores)  # E: M2L301 find_peaks(scores)
    return np.mean(peaks == labels)
