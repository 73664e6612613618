"""One thread a test: small tensors gain nothing from more, and other tests lose."""

from __future__ import annotations

import torch

torch.set_num_threads(1)
