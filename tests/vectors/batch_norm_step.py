"""Writes batch_norm_step.safetensors: one step of PyTorch on a batch of 4, in float64.

    python3 tests/vectors/batch_norm_step.py     # with PyTorch and numpy; written with PyTorch 2.15

The same step is computed by numpy, from the formulas alone, and must agree.
"""

import json
from pathlib import Path

import numpy as np
import torch
from torch import nn

RATE, IMAGES = 0.1, 4
torch.manual_seed(231)
torch.set_default_dtype(torch.float64)


class Net(nn.Module):
    """tests/batch_statistics.rs declares the same."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(2, 3, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(3)
        self.conv2 = nn.Conv2d(3, 4, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(4, eps=1e-3)
        self.scores = nn.Linear(4 * 3 * 3, 5)

    def forward(self, x):
        x = nn.functional.max_pool2d(torch.relu(self.bn1(self.conv1(x))), 2)
        return self.scores(self.bn2(self.conv2(x)).flatten(1))


def float32(*shape):
    """Random numbers that f32 can hold, so that both precisions begin alike."""
    return torch.randn(*shape).float().double()


def step():
    net = Net().train()
    with torch.no_grad():
        for norm in (net.bn1, net.bn2):
            norm.weight.copy_(float32(len(norm.weight)).abs() + 0.5)
            norm.running_mean.copy_(float32(len(norm.weight)))
            norm.running_var.copy_(float32(len(norm.weight)).abs() + 0.5)
        for parameter in net.parameters():
            parameter.copy_(parameter.float().double())
    state = lambda: {name: value.clone() for name, value in net.state_dict().items()}
    found = {f"before.{name}": value for name, value in state().items()}
    x = (float32(IMAGES, 2, 6, 6) + 0.5).float().double().requires_grad_()
    labels = torch.randint(5, (IMAGES,))
    scores = net(x)
    loss = nn.functional.cross_entropy(scores, labels)
    loss.backward()
    found |= {f"d.{name}": value.grad for name, value in net.named_parameters()}
    torch.optim.SGD(net.parameters(), lr=RATE).step()
    found |= {f"after.{name}": value for name, value in state().items()}
    found |= {"x": x, "labels": labels, "scores": scores, "loss": loss.reshape(1), "dx": x.grad}
    return {name: value.detach().numpy() for name, value in found.items()
            if "num_batches" not in name}


def by_numpy(found):
    """Scores, running statistics, and the gradients down to the first batch norm's parameters."""
    get = lambda name: found[f"before.{name}"]
    axes, column = (0, 2, 3), lambda v: v[None, :, None, None]

    def norm(name, x, eps):
        mean, variance = x.mean(axes), x.var(axes)
        count = x.size / x.shape[1]
        moved = {"running_mean": mean, "running_var": variance * count / (count - 1)}
        after = {f"after.{name}.{key}": 0.9 * get(f"{name}.{key}") + 0.1 * value
                 for key, value in moved.items()}
        inverse = 1 / np.sqrt(variance + eps)
        hat = column(inverse) * (x - column(mean))
        return column(get(f"{name}.weight")) * hat + column(get(f"{name}.bias")), hat, inverse, after

    def back(name, dy, hat, inverse):
        beta, gamma = dy.sum(axes), (dy * hat).sum(axes)
        mean = lambda v: column(v.mean(axes))
        dx = column(get(f"{name}.weight") * inverse) * (dy - mean(dy) - hat * mean(dy * hat))
        return dx, {f"d.{name}.weight": gamma, f"d.{name}.bias": beta}

    padded = np.pad(found["x"], ((0, 0), (0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))
    x1 = np.einsum("ndyxab,kdab->nkyx", windows, get("conv1.weight"))
    y1, hat1, inverse1, after1 = norm("bn1", x1, 1e-5)
    blocks = np.maximum(y1, 0).reshape(IMAGES, 3, 3, 2, 3, 2)
    pooled = blocks.max((3, 5))
    y2, hat2, inverse2, after2 = norm(
        "bn2", np.einsum("ndyx,kd->nkyx", pooled, get("conv2.weight")[:, :, 0, 0]), 1e-3)
    flat = y2.reshape(IMAGES, -1)
    scores = flat @ get("scores.weight").T + get("scores.bias")
    share = np.exp(scores - scores.max(1, keepdims=True))
    share /= share.sum(1, keepdims=True)
    d_scores = share.copy()
    d_scores[np.arange(IMAGES), found["labels"]] -= 1
    d_scores /= IMAGES
    dx2, d2 = back("bn2", (d_scores @ get("scores.weight")).reshape(y2.shape), hat2, inverse2)
    d_pooled = np.einsum("nkyx,kd->ndyx", dx2, get("conv2.weight")[:, :, 0, 0])
    first = (blocks == pooled[:, :, :, None, :, None]) & (blocks > 0)
    dy1 = np.where(first, d_pooled[:, :, :, None, :, None], 0).reshape(y1.shape)
    dx1, d1 = back("bn1", dy1, hat1, inverse1)
    d_conv1 = np.einsum("ndyxab,nkyx->kdab", windows, dx1)
    return {"scores": scores, "d.conv1.weight": d_conv1, "d.scores.weight": d_scores.T @ flat,
            **after1, **after2, **d1, **d2}


def save(path, tensors):
    header, data = {}, b""
    for name, value in tensors.items():
        raw = np.ascontiguousarray(value).tobytes()
        kind = {"float64": "F64", "int64": "I64"}[str(value.dtype)]
        offsets = [len(data), len(data) + len(raw)]
        header[name] = {"dtype": kind, "shape": list(value.shape), "data_offsets": offsets}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)


found = step()
for name, value in by_numpy(found).items():
    error = np.abs(value - found[name]).max() / np.abs(found[name]).max()
    print(f"{name:24} {error:.1e}")
    assert error < 1e-12, name
save(Path(__file__).with_suffix(".safetensors"), found)
