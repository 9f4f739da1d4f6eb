"""Writes layers.safetensors: layers of PyTorch, forward and backward on one image, in float64.

    python3 tests/vectors/layers.py     # with PyTorch and safetensors; written with PyTorch 2.15

tests/layer_vectors.rs declares the same layers. A case has x, y, dy, dx, the layer's own tensors by PyTorch's names
behind `it.`, and their gradients behind `grad.it.`.
"""

from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

torch.manual_seed(231)
torch.set_default_dtype(torch.float64)


def float32(*shape):
    """Random numbers that f32 can hold, so that both precisions begin alike."""
    return torch.randn(*shape).float().double()


class Depth(nn.LayerNorm):
    """Over the depth, as ConvNeXt has it."""

    def forward(self, x):
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Of(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


def excite(x):
    return x * torch.sigmoid(F.adaptive_avg_pool2d(x, 1))


def normalize(mean, std):
    """As torchvision.transforms.functional.normalize."""
    mean, std = [torch.tensor(it).reshape(-1, 1, 1) for it in (mean, std)]
    return Of(lambda x: (x - mean) / std)


class Running(nn.BatchNorm2d):
    """At inference, by statistics of its own."""

    def __init__(self, depth, **settings):
        super().__init__(depth, **settings)
        self.running_mean = float32(depth)
        # So large that how far it is off is a variance, which a reader asks for.
        self.running_var = float32(depth).abs() + 16
        self.eval()

    def statistics(self, x):
        """Those, and how far they are off one image: what stands where others have a gradient."""
        mean, var = self.running_mean, self.running_var
        off = x - mean.reshape(-1, 1, 1)
        yield "running_mean", mean, -off.mean((0, 2, 3))
        yield "running_var", var, var - (off**2).mean((0, 2, 3))


UP = nn.ConvTranspose2d
# Depth, height and width of the image, and the layer.
CASES = {
    "grouped": ((4, 3, 2), UP(4, 6, 3, stride=2, padding=1, output_padding=1, groups=2)),
    "dilated": ((3, 2, 3), UP(3, 2, (2, 3), stride=(1, 2), dilation=(3, 2), padding=(0, 1))),
    "more_than_cut": ((2, 2, 3), UP(2, 3, 2, stride=3, output_padding=2)),
    "more_rows": ((2, 3, 2), UP(2, 4, (3, 2), stride=(2, 1), output_padding=(1, 0), bias=False)),
    "of_each_slice": ((3, 3, 3), UP(3, 3, 3, groups=3, dilation=2, padding=2, output_padding=1)),
    "two_of_each_slice": ((3, 2, 2), UP(3, 6, 4, stride=2, padding=1, groups=3)),
    "max_pool_dilated": ((3, 9, 8), nn.MaxPool2d((3, 2), stride=2, padding=(1, 0), dilation=(2, 3))),
    "max_pool_dilated_ceil": ((2, 6, 7), nn.MaxPool2d(2, stride=2, dilation=2, ceil_mode=True)),
    "avg_pool_counts": ((2, 5, 7), nn.AvgPool2d(3, stride=2, padding=1)),
    "avg_pool_counts_not": ((2, 5, 7), nn.AvgPool2d(3, stride=2, padding=1, count_include_pad=False)),
    "prelu": ((4, 3, 2), nn.PReLU(4)),
    "elu": ((2, 3, 2), nn.ELU(0.7)),
    "gelu": ((2, 3, 2), nn.GELU()),
    "gelu_tanh": ((2, 3, 2), nn.GELU(approximate="tanh")),
    "silu": ((2, 3, 2), nn.SiLU()),
    # F.hardsigmoid's gradient multiplies by a sixth that is rounded to float32.
    "hard_sigmoid": ((2, 3, 2), Of(lambda x: F.relu6(2 * x + 3) / 6)),
    "hard_swish": ((2, 3, 2), Of(lambda x: F.hardswish(2 * x))),
    "softplus": ((2, 3, 2), nn.Softplus()),
    "clamp": ((2, 3, 2), nn.Hardtanh(-0.5, 1.25)),
    "log_softmax": ((4, 2, 2), nn.LogSoftmax(1)),
    "group_norm": ((6, 3, 2), nn.GroupNorm(3, 6, eps=1e-3)),
    "whole_norm": ((6, 3, 2), nn.GroupNorm(1, 6)),
    "instance_norm": ((3, 3, 2), nn.InstanceNorm2d(3, affine=True)),
    "layer_norm": ((5, 3, 2), Depth(5, eps=1e-6)),
    "layer_norm_volume": ((4, 3, 2), nn.LayerNorm([4, 3, 2], eps=1e-3)),
    "normalize": ((3, 4, 2), normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])),
    "normalize_all": ((2, 3, 2), normalize([-0.25], [2.0])),
    "batch_norm_plain": ((4, 3, 2), Running(4, eps=1e-3, momentum=0.25, affine=False)),
    "nearest": ((2, 3, 2), nn.Upsample(scale_factor=(2, 3))),
    "bilinear": ((2, 3, 2), nn.UpsamplingBilinear2d(scale_factor=2)),
    "bilinear_squares": ((2, 3, 2), nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)),
    "padded": ((2, 3, 2), nn.ZeroPad2d((1, 0, 2, 3))),
    "cropped": ((2, 4, 5), nn.ZeroPad2d((-1, -2, 0, -1))),
    "deeper": ((2, 2, 3), Of(lambda x: F.pad(x, (0, 0, 0, 0, 0, 3)))),
    "pixel_shuffle": ((12, 2, 3), nn.PixelShuffle(2)),
    "pixel_unshuffle": ((3, 4, 6), nn.PixelUnshuffle(2)),
    "channel_shuffle": ((6, 2, 3), nn.ChannelShuffle(3)),
    "excite": ((4, 3, 2), Of(excite)),
}


tensors = {}
for name, (shape, layer) in CASES.items():
    for parameter in layer.parameters():
        parameter.data = float32(*parameter.shape)
    x = float32(1, *shape).requires_grad_()
    y = layer(x)
    dy = float32(*y.shape)
    y.backward(dy)
    found = {"x": x, "y": y, "dy": dy, "dx": x.grad}
    for field, parameter in layer.named_parameters():
        found[f"it.{field}"], found[f"grad.it.{field}"] = parameter, parameter.grad
    if isinstance(layer, Running):
        for field, statistic, off in layer.statistics(x):
            found[f"it.{field}"], found[f"grad.it.{field}"] = statistic, off
    tensors |= {f"{name}/{key}": it.detach().contiguous().clone() for key, it in found.items()}

save_file(tensors, Path(__file__).with_name("layers.safetensors"), {"generator": f"torch {torch.__version__}"})
print(len(CASES), "cases")
