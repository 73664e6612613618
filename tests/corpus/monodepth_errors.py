"""Errors and accuracies of a depth map."""

import torch


def depth_errors(gt, pred):
    ratio = torch.max((gt / pred), (pred / gt))
    a1 = (ratio < 1.25).float().mean()
    a2 = (ratio < 1.25**2).float().mean()
    a3 = (ratio < 1.25**3).float().mean()

    rmse = (gt - pred) ** 2
    rmse = torch.sqrt(rmse.mean())
    rmse_log = (torch.log(gt) - torch.log(pred)) ** 2
    rmse_log = torch.sqrt(rmse_log.mean())
    abs_rel = torch.mean(torch.abs(gt - pred) / gt)
    sq_rel = torch.mean((gt - pred) ** 2 / gt)
    return abs_rel, sq_rel, rmse, rmse_log, a1, a2, a3
