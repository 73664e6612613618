"""What NumPy, torch and Python calls do to a score: keep it smooth, only look at its shape, or turn it into a plain value."""

from __future__ import annotations


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Calls whose result depends on the shape or type of their arguments alone.
PASSIVE_CALLS = _names("""
    len isinstance type range id callable hasattr print
    numpy.shape numpy.ndim numpy.size numpy.zeros_like numpy.ones_like numpy.empty_like numpy.full_like numpy.iscomplexobj
    torch.zeros_like torch.ones_like torch.empty_like torch.full_like torch.numel torch.is_tensor torch.is_floating_point
    torch.rand_like torch.randn_like
""")
PASSIVE_ATTRIBUTES = _names("shape ndim size dtype device itemsize nbytes is_cuda requires_grad layout")
PASSIVE_METHODS = _names("""
    size dim numel ndimension element_size get_device is_floating_point is_contiguous stride new_zeros new_ones new_empty new_full new_tensor
""")

# Calls through which a score stays a real number (the same tails serve functions and methods).
_SHARED = _names("""
    abs absolute add subtract sub multiply mul divide div true_divide power pow sqrt rsqrt square exp exp2 expm1 log log2 log10 log1p
    sin cos tan tanh sinh cosh arctan atan arcsin asin arccos acos arctan2 atan2 hypot negative neg positive reciprocal
    maximum minimum fmax fmin clip clamp sum nansum mean nanmean prod cumsum cumprod dot matmul mm bmm mv inner outer einsum tensordot
    reshape ravel flatten transpose swapaxes moveaxis movedim squeeze unsqueeze expand_dims permute expand expand_as view view_as array_split hsplit vsplit tensor_split
    copyto putmask place fill_diagonal put_along_axis
    concatenate concat cat stack vstack hstack dstack column_stack split chunk unbind repeat tile repeat_interleave broadcast_to flip fliplr flipud
    roll rot90 take gather take_along_axis take_along_dim index_select masked_select masked_fill compress
    max amax min amin nanmax nanmin ptp std var norm sort diff nan_to_num where logaddexp logsumexp softmax log_softmax sigmoid logsigmoid
    relu normalize cdist cosine_similarity pairwise_distance t diag diagonal trace triu tril lerp addcmul
    partition median quantile nanmedian percentile nanquantile cov average interp trapezoid trapz atleast_1d atleast_2d cpu cuda
    select narrow unfold contiguous clone copy to type type_as float double half bfloat16 astype requires_grad_ real erf erfinv logit
    nn.functional.softmax nn.functional.log_softmax nn.functional.sigmoid nn.functional.relu nn.functional.normalize
    nn.functional.cosine_similarity nn.functional.pairwise_distance nn.functional.softplus nn.functional.logsigmoid
    nn.functional.interpolate nn.functional.pad nn.functional.avg_pool2d nn.functional.max_pool2d nn.functional.mse_loss
    nn.functional.l1_loss nn.functional.cross_entropy nn.functional.binary_cross_entropy nn.functional.linear
    linalg.norm linalg.vector_norm linalg.multi_dot special.expit special.softmax special.log_softmax special.logit
""")
SMOOTH_BUILTINS = _names("abs pow sum max min zip enumerate list tuple reversed iter next dict")
METHODS_IN_PLACE = _names("append extend insert add update setdefault fill_ put itemset")

# Calls that turn a score into a plain value; f keeps the differentiable one instead.
COERCIONS = _names("""
    float numpy.asarray numpy.array numpy.asanyarray numpy.ascontiguousarray numpy.asfarray numpy.float64 numpy.float32 numpy.squeeze
    torch.as_tensor torch.tensor torch.asarray torch.from_numpy torch.Tensor torch.FloatTensor
""") - {"numpy.squeeze"}
COERCING_METHODS = _names("item detach detach_ numpy tolist")


def is_smooth(qualified: str) -> bool:
    """Whether a NumPy, torch or SciPy function keeps its argument a real number."""
    root, _, tail = qualified.partition(".")
    return root in {"numpy", "torch", "scipy"} and tail in _SHARED


def is_smooth_method(name: str) -> bool:
    return name in _SHARED
