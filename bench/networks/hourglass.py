"""The hourglass of Newell, Yang and Deng (ECCV 2016): one stack from a picture to heat maps, and a small one."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional


class Residual(nn.Module):
    """Pre-activated bottleneck: 1x1 to half the width, 3x3, 1x1."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        half = after // 2
        self.inner = nn.Sequential(
            *(nn.BatchNorm2d(before), nn.ReLU(), nn.Conv2d(before, half, 1)),
            *(nn.BatchNorm2d(half), nn.ReLU(), nn.Conv2d(half, half, 3, padding=1)),
            *(nn.BatchNorm2d(half), nn.ReLU(), nn.Conv2d(half, after, 1)),
        )
        self.shortcut = nn.Identity() if before == after else nn.Conv2d(before, after, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(x) + self.shortcut(x)  # type: ignore[no-any-return]


class Hourglass(nn.Module):
    """Halves the side `levels` times and goes back up, adding what each side had. The side is a multiple of 2**levels."""

    def __init__(self, levels: int, width: int) -> None:
        super().__init__()
        self.beside = Residual(width, width)
        self.down = Residual(width, width)
        self.inner = Hourglass(levels - 1, width) if levels > 1 else Residual(width, width)
        self.up = Residual(width, width)

    def forward(self, x: Tensor) -> Tensor:
        small = self.up(self.inner(self.down(functional.max_pool2d(x, 2))))
        return self.beside(x) + functional.interpolate(small, scale_factor=2.0)  # type: ignore[no-any-return]


class Pixels(nn.Module):
    """Bytes to [0, 1]: pictures are kept as bytes until they are needed."""

    def forward(self, x: Tensor) -> Tensor:
        return x if x.is_floating_point() else x.float() / 255


def stacked_hourglass(heatmaps: int, width: int = 256, levels: int = 4) -> nn.Sequential:
    """One stack: colour pictures to heat maps of a quarter of their side.

    The side is a multiple of 4 · 2**levels: 256 pixels give maps of 64. The UniLoss paper says 224, whose maps of 56 can be
    halved three times only: `levels=3`.
    """
    return nn.Sequential(
        Pixels(),
        *(nn.Conv2d(3, width // 4, 7, stride=2, padding=3), nn.BatchNorm2d(width // 4), nn.ReLU()),
        *(Residual(width // 4, width // 2), nn.MaxPool2d(2)),
        *(Residual(width // 2, width // 2), Residual(width // 2, width)),
        *(Hourglass(levels, width), Residual(width, width)),
        *(nn.Conv2d(width, width, 1), nn.BatchNorm2d(width), nn.ReLU()),
        nn.Conv2d(width, heatmaps, 1),
    )


def small_hourglass(heatmaps: int, width: int = 16, levels: int = 3) -> nn.Sequential:
    """The same for grey pictures, at full side: the side is a multiple of 2**levels."""
    return nn.Sequential(
        *(nn.Conv2d(1, width, 5, padding=2), nn.BatchNorm2d(width), nn.ReLU()),
        *(Hourglass(levels, width), nn.Conv2d(width, width, 1), nn.BatchNorm2d(width), nn.ReLU()),
        nn.Conv2d(width, heatmaps, 1),
    )
