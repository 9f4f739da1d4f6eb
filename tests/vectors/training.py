"""Writes training.safetensors: what PyTorch makes of the features that larger data needs, in float64.

    python3 tests/vectors/training.py     # with PyTorch and safetensors; written with PyTorch 2.15

tests/training_vectors.rs trains the same network on the same images. All images are one batch, so that their order
does not matter. LARS, which PyTorch does not have, is the formula of its paper on PyTorch's gradients.
"""

import copy
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F
from torch.optim import SGD, Adam, lr_scheduler
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

IMAGES, STEPS, RATE = 24, 4, 0.5
torch.manual_seed(231)
torch.set_default_dtype(torch.float64)


class Net(nn.Module):
    """tests/training_vectors.rs declares the same."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 4, 3, padding=1)
        self.fc1 = nn.Linear(4 * 4 * 4, 10)

    def forward(self, x):
        return self.fc1(F.max_pool2d(torch.relu(self.conv1(x)), 2).flatten(1))


START = Net()
PIXELS = torch.randint(256, (IMAGES, 1, 8, 8))
X, LABELS = PIXELS / 255, torch.randint(10, (IMAGES,))
found = {"pixels": PIXELS, "labels": LABELS}


def keep(name, net):
    found.update({f"{name}.{key}": value.detach().clone() for key, value in net.state_dict().items()})


def mean(scores, labels=LABELS, **settings):
    return F.cross_entropy(scores, labels, reduction="none", **settings).mean()


def train(name, loss=mean, optimizer=lambda net: SGD(net.parameters(), lr=RATE), between=lambda net: None):
    net = copy.deepcopy(START)
    descent = optimizer(net)
    for _ in range(STEPS):
        descent.zero_grad()
        loss(net(X)).backward()
        between(net)
        descent.step()
    keep(name, net)


keep("start", START)
train("plain")


def accumulate():
    net = copy.deepcopy(START)
    descent = SGD(net.parameters(), lr=RATE)
    for _ in range(STEPS):
        descent.zero_grad()
        for x, labels in zip(X.chunk(3), LABELS.chunk(3)):
            (mean(net(x), labels) / 3).backward()
        descent.step()
    keep("accumulated", net)


def averaged():
    net = copy.deepcopy(START)
    average = AveragedModel(net, multi_avg_fn=get_ema_multi_avg_fn(0.9))
    descent = SGD(net.parameters(), lr=RATE)
    for _ in range(STEPS):
        descent.zero_grad()
        mean(net(X)).backward()
        descent.step()
        average.update_parameters(net)
    keep("averaged", average.module)


def groups(net):
    """The last layer at the full rate, the first at a tenth."""
    first, last = net.conv1.parameters(), net.fc1.parameters()
    return Adam([{"params": first, "lr": 1e-3}, {"params": last, "lr": 1e-2}])


def lars(trust=0.02, momentum=0.9, decay=0.01):
    """You, Gitman and Ginsburg 2017, algorithm 1; biases at the plain rate, without decay."""
    net = copy.deepcopy(START)
    velocity = {name: torch.zeros_like(w) for name, w in net.named_parameters()}
    for _ in range(STEPS):
        net.zero_grad()
        mean(net(X)).backward()
        with torch.no_grad():
            for name, w in net.named_parameters():
                if name.endswith("bias"):
                    step = w.grad
                else:
                    local = trust * w.norm() / (w.grad.norm() + decay * w.norm())
                    step = local * (w.grad + decay * w)
                velocity[name] = momentum * velocity[name] + RATE * step
                w -= velocity[name]
    keep("lars", net)


def range_test(first=1e-3, last=10.0, steps=12):
    """The losses, by rates that grow evenly on a logarithmic scale."""
    net, rates, losses = copy.deepcopy(START), torch.logspace(-3, 1, steps), []
    descent = SGD(net.parameters(), lr=first)
    for rate in rates:
        descent.param_groups[0]["lr"] = rate.item()
        descent.zero_grad()
        loss = mean(net(X))
        losses.append(loss.detach())
        loss.backward()
        descent.step()
    assert rates[-1] == last
    found.update({"range.rates": rates, "range.losses": torch.stack(losses)})


def schedule(name, steps, make):
    descent = SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    schedule, rates = make(descent), []
    for _ in range(steps):
        rates.append(descent.param_groups[0]["lr"])
        descent.step()
        schedule.step()
    found[name] = torch.tensor(rates)


def loss(name, scores, target, of):
    scores = scores.clone().requires_grad_()
    value = of(scores, target)
    value.backward()
    found.update({f"{name}.loss": value.detach().reshape(1), f"{name}.d": scores.grad})


accumulate()
averaged()
lars()
range_test()
train("smoothed", lambda scores: mean(scores, label_smoothing=0.1))
weights = torch.tensor([0.5, 2.0, 1.0, 0.25, 3.0, 1.0, 1.5, 0.75, 1.0, 0.1])
found["weights"] = weights
train("weighted", lambda scores: mean(scores, weight=weights))
train("clipped", between=lambda net: nn.utils.clip_grad_norm_(net.parameters(), 0.125))
train("grouped", optimizer=groups)
train("frozen", optimizer=lambda net: SGD(net.fc1.parameters(), lr=RATE))

# The schedules, for as many steps as there are rates.
one_cycle = lambda descent: lr_scheduler.OneCycleLR(
    descent, max_lr=0.1, total_steps=40, pct_start=0.25, cycle_momentum=False
)
restarts = lambda times: lambda descent: lr_scheduler.CosineAnnealingWarmRestarts(
    descent, T_0=4, T_mult=times, eta_min=0.01
)
schedule("one_cycle", 40, one_cycle)
schedule("restarts", 60, restarts(3))
schedule("restarts_alike", 12, restarts(1))

# Losses of several labels, of numbers, of mixed classes: the mean over five rows of seven scores.
scores, target = 3 * torch.randn(5, 7), torch.rand(5, 7).float().double()
found.update({"scores": scores, "target": target})
loss("binary", scores, target, F.binary_cross_entropy_with_logits)
loss("binary_labels", scores, (target > 0.5).double(), F.binary_cross_entropy_with_logits)
loss("squared", scores, target, F.mse_loss)
loss("huber", scores, target, lambda scores, target: F.huber_loss(scores, target, delta=0.7))
classes = torch.tensor([[0, 3], [6, 6], [2, 1], [5, 4], [1, 0]])
shares = torch.tensor([0.9, 0.5, 0.25, 0.0, 1.0])
mixed = shares[:, None] * F.one_hot(classes[:, 0], 7) + (1 - shares[:, None]) * F.one_hot(classes[:, 1], 7)
found.update({"classes": classes, "shares": shares})
loss("mixed", scores, mixed, F.cross_entropy)

# How many images have their class among the best k scores.
order = START(X).topk(10).indices
found["top"] = torch.tensor([(order[:, :k] == LABELS[:, None]).any(1).sum() for k in range(1, 11)])

# Parts of an image, stretched to the whole: top, left, height, width.
image = torch.rand(1, 2, 6, 5)
parts = torch.tensor([[0, 0, 6, 5], [1, 2, 3, 2], [5, 4, 1, 1], [2, 0, 4, 5], [0, 1, 2, 4]])
stretch = lambda y, x, h, w: F.interpolate(image[:, :, y : y + h, x : x + w], size=(6, 5), mode="bilinear")
found.update({"image": image, "parts": parts, "stretched": torch.cat([stretch(*part) for part in parts.tolist()])})

save_file({name: value.contiguous() for name, value in found.items()}, Path(__file__).with_suffix(".safetensors"))
