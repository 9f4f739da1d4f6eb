"""Writes expected.rs: what PyTorch's own models score, with the weights and the image that `scores.rs` draws too.

    pip install numpy torch torchvision
    python tests/zoo/pytorch.py > tests/zoo/expected.rs
"""

import math

import numpy as np
import torch
import torchvision

# The names in torchvision of networks of the zoo.
NAMES = (
    "alexnet squeezenet1_0 squeezenet1_1 resnet18 resnet34 resnet50 mobilenet_v2 mobilenet_v3_small mobilenet_v3_large "
    "mnasnet1_0 efficientnet_b0 densenet121 shufflenet_v2_x1_0 inception_v3 unet"
).split()
# The number of the image, among those of the tensors.
IMAGE = 1_000_000


def uniform(tensor, count):
    """Numbers from 0 up to 1, of 24 bits, by the numbers of their tensor and of their place in it."""
    x = np.arange(count, dtype=np.uint32) + np.uint32((tensor * 0x9E3779B9 + 1) % 2**32)
    for shift, factor in [(16, 0x7FEB352D), (15, 0x846CA68B), (16, 1)]:
        x = (x ^ (x >> np.uint32(shift))) * np.uint32(factor)
    return (x >> np.uint32(8)).astype(np.float64) / 2**24


def draw(name, tensor, shape):
    numbers = uniform(tensor, math.prod(shape))
    if len(shape) == 1 and name.endswith(("weight", "running_var")):
        numbers = 0.5 + numbers
    elif len(shape) == 1:
        numbers = 0.1 * (2 * numbers - 1)
    else:
        numbers = math.sqrt(6 / math.prod(shape[1:])) * (2 * numbers - 1)
    return torch.from_numpy(numbers.astype(np.float32).reshape(shape))


class UNet(torch.nn.Module):
    """Ronneberger et al., 2015, with padding and normalisation: five levels, from 64 slices to 1024."""

    def __init__(self):
        super().__init__()
        depths = [64, 128, 256, 512, 1024]
        self.down = torch.nn.ModuleList(self.twice(a, b) for a, b in zip([3, *depths], depths))
        self.up = torch.nn.ModuleList()
        for deep, half in zip(depths[:0:-1], depths[-2::-1]):
            self.up.append(torch.nn.ConvTranspose2d(deep, half, 2, stride=2))
            self.up.append(self.twice(deep, half))
        self.classes = torch.nn.Conv2d(64, 1, 1)

    @staticmethod
    def twice(deep, filters):
        layers = []
        for depth in [deep, filters]:
            layers += [torch.nn.Conv2d(depth, filters, 3, padding=1, bias=False), torch.nn.BatchNorm2d(filters), torch.nn.ReLU()]
        return torch.nn.Sequential(*layers)

    def forward(self, x):
        seen = []
        for level, layers in enumerate(self.down):
            x = layers(x if level == 0 else torch.nn.functional.max_pool2d(x, 2))
            seen.append(x)
        seen.pop()
        for grow, layers in zip(self.up[::2], self.up[1::2]):
            x = layers(torch.cat([seen.pop(), grow(x)], dim=1))
        return self.classes(x)


def model(name):
    """A model by its name in torchvision, with drawn weights, and how large its image is."""
    if name == "unet":
        net, size = UNet(), 64
    else:
        net = torchvision.models.get_model(name, weights=None, **({"init_weights": False} if name == "inception_v3" else {}))
        size = 299 if name == "inception_v3" else 224
    # The auxiliary classifier is there in training only.
    state = net.state_dict()
    drawn = [it for it in state if not it.startswith("AuxLogits.") and not it.endswith("num_batches_tracked")]
    for tensor, it in enumerate(drawn):
        state[it].copy_(draw(it, tensor, state[it].shape))
    return net.eval(), size


def image(size):
    return torch.from_numpy((2 * uniform(IMAGE, 3 * size * size) - 1).astype(np.float32).reshape(1, 3, size, size))


if __name__ == "__main__":
    versions = f"PyTorch {torch.__version__.split('+')[0]}, torchvision {torchvision.__version__.split('+')[0]}"
    print(f"//! Every eighth part's first score, and the largest of all; written by `pytorch.py` ({versions}).\n")
    print("pub(crate) type Expected = ([f32; 8], f32);\n")
    for name in NAMES:
        net, size = model(name)
        with torch.no_grad():
            scores = net(image(size)).numpy().reshape(-1)
        some = ", ".join(str(it) for it in scores[:: len(scores) // 8][:8])
        print(f"pub(crate) const {name.upper()}: Expected = ([{some}], {np.abs(scores).max()});")
