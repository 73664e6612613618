"""Counts, places and orders by rows are those of torch's own operations, whatever the width and the kind of the rows."""

import pytest
import torch

from metric2loss.runtime import masks

SHAPES = [(1, 1), (1, 7), (3, 8), (4, 64), (2, 1000), (2, 2040), (2, 2048), (3, 5000), (0, 8), (3, 0)]


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("shape", SHAPES)
def test_amounts_and_places_are_those_of_torch(shape, share):
    mask = torch.rand(shape, generator=torch.Generator().manual_seed(0)) < share
    assert torch.equal(masks.amounts(mask), mask.sum(1))
    assert torch.equal(masks.places(mask), mask.nonzero()[:, 1])
    assert torch.equal(masks.flat_places(mask), mask.reshape(-1).nonzero().flatten())


@pytest.mark.parametrize("shape", [shape for shape in SHAPES if min(shape)])
def test_orders_and_first_places_are_those_of_torch(shape):
    mask = torch.rand(shape, generator=torch.Generator().manual_seed(1)) < 0.2
    assert torch.equal(masks.first(mask), mask.to(torch.uint8).argmax(-1))
    assert torch.equal(masks.true_first(mask), torch.argsort((~mask).to(torch.uint8), dim=1, stable=True))
    numbers = torch.randint(5, shape, generator=torch.Generator().manual_seed(2)).float()
    assert torch.equal(torch.gather(numbers, 1, masks.largest(numbers)), numbers.amax(1, keepdim=True))


def test_parts_of_a_longer_array_are_counted_alike():
    whole = torch.rand(5, 77, generator=torch.Generator().manual_seed(3)) < 0.5
    for part in (whole[:, 3:67], whole[1:, :64], whole.t()[:64]):
        assert torch.equal(masks.amounts(part), part.sum(1))
        assert torch.equal(masks.first(part), part.to(torch.uint8).argmax(-1))
