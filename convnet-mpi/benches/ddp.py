"""PyTorch's DistributedDataParallel on what examples/bench trains: the tiny VGG, batches of 64 over all processes.

    python3 benches/ddp.py --ranks 2                            # gloo, a thread each
    mpirun -n 2 target/release/examples/bench --threads 1       # beside it, in turns: the fastest of each

Images are floats in memory, in channels_last or not, whichever is asked for; nothing is shuffled or augmented, so that
nothing but the training is timed.
"""

import argparse
import os
import time

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import nn
from torch.nn.parallel import DistributedDataParallel

BATCH = 64


def network():
    def block(depth, filters):
        first = [nn.Conv2d(depth, filters, 3, padding=1), nn.ReLU()]
        return first + [nn.Conv2d(filters, filters, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]

    layers = block(3, 32) + block(32, 64) + block(64, 128)
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(2048, 256), nn.ReLU(), nn.Linear(256, 10))


def train(rank, ranks, epochs, count, layout):
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29531"}
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {rank % os.cpu_count()})
    torch.set_num_threads(1)
    dist.init_process_group("gloo", rank=rank, world_size=ranks)
    torch.manual_seed(1)
    net = network().to(memory_format=layout)
    net = DistributedDataParallel(net)
    descent = torch.optim.SGD(net.parameters(), lr=1e-3)
    share = BATCH // ranks
    images = torch.rand(count // ranks, 3, 32, 32).contiguous(memory_format=layout)
    labels = torch.randint(10, (count // ranks,))
    best = 0.0
    for _ in range(epochs):
        begin = time.perf_counter()
        for x, y in zip(images.split(share), labels.split(share)):
            descent.zero_grad()
            nn.functional.cross_entropy(net(x), y).backward()
            descent.step()
        best = max(best, count / (time.perf_counter() - begin))
    if rank == 0:
        name = str(layout).removeprefix("torch.")
        print(f"{ranks} processes of one thread, {name}: {best:.0f} images/s (PyTorch {torch.__version__})")
    dist.barrier()  # who leaves first would take the connection along
    dist.destroy_process_group()


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    options.add_argument("--ranks", type=int, default=2)
    options.add_argument("--epochs", type=int, default=6)
    options.add_argument("--images", type=int, default=512)
    options.add_argument("--channels-last", action="store_true")
    given = options.parse_args()
    layout = torch.channels_last if given.channels_last else torch.contiguous_format
    mp.spawn(train, (given.ranks, given.epochs, given.images, layout), nprocs=given.ranks)
