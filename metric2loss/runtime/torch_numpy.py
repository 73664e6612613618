"""torch._numpy, with NumPy's own types as its defaults.

It reads its defaults from `torch._dynamo.config` when it first makes a float; that import brings the whole of torch.compile
along, a second of processor time.  Where nobody has loaded it, nobody has set them.
"""

from __future__ import annotations

import sys
from typing import Any

import torch._numpy as torch_numpy

tnp: Any = torch_numpy  # private, and without types

if "torch._dynamo" not in sys.modules and getattr(tnp._dtypes_impl, "_default_dtypes", False) is None:
    tnp._dtypes.set_default_dtype(fp_dtype="numpy", int_dtype="numpy")
