"""Run on every rank by test_distributed: `python -m tests.runtime.distributed_ranks RANK WORLD FILE OUT`."""

from __future__ import annotations

import sys

import torch
import torch.distributed as dist

from tests.runtime.hand_written import AveragePrecisionLoss, AveragePrecisionTorchLoss, F1Loss

SIZES = (9, 6)  # examples of each rank
LOSSES = {"torch": AveragePrecisionTorchLoss, "numpy": AveragePrecisionLoss, "constants": F1Loss}


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    draw = torch.Generator().manual_seed(0)
    return torch.rand(sum(SIZES), generator=draw, dtype=torch.double), torch.arange(sum(SIZES)) % 3 == 0


def loss_of(name: str, **options: object) -> torch.nn.Module:
    return LOSSES[name](generator=torch.Generator().manual_seed(4), **options)


def main(rank: int, world: int, file: str, out: str) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{file}", rank=rank, world_size=world)
    scores, labels = batch()
    start = sum(SIZES[:rank])
    mine = slice(start, start + SIZES[rank])
    found = {}
    for name in LOSSES:
        here = scores[mine].clone().requires_grad_()
        criterion = loss_of(name, process_group=dist.group.WORLD)
        given = labels[mine].tolist() if name == "constants" else labels[mine].long()
        value = criterion(here, torch.tensor(given).long())
        value.backward()
        found[name] = (here.grad, float(value.detach()), float(criterion.metric), criterion.binaries)
    unseeded = AveragePrecisionTorchLoss(process_group=dist.group.WORLD)
    torch.manual_seed(rank)  # ranks differ, but draw the same flips
    here = scores[mine].clone().requires_grad_()
    unseeded(here, labels[mine].long()).backward()
    found["seed"] = int(unseeded._random.generator.initial_seed())
    torch.save(found, f"{out}.{rank}")
    dist.destroy_process_group()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4])
