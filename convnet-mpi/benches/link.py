"""A switch in user space, for kernels without netem: TAP devices, a rate for what each sends, a delay of one way.

    python3 benches/link.py HOSTS RATE DELAY     # 2 1gbit 0.1ms; benches/namespaces calls it

Makes the devices convnet1, convnet2 …, says so, and carries frames until it is killed. A frame leaves when those before
it of the same host have left at RATE, and arrives DELAY later. Frames are of up to 64 KB, as those are that a network
card cuts for a kernel, so that this program keeps up with 10 Gbit/s.
"""

import fcntl
import heapq
import os
import select
import struct
import sys
import time

TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 2, 0x1000
FRAME = 65600  # bytes
LATE = 100e-6  # s: what a sleep may take too long

UNITS = {"gbit": 1e9 / 8, "mbit": 1e6 / 8, "ms": 1e-3, "us": 1e-6}


def number(text):
    unit = text.lstrip("0123456789.")
    return float(text.removesuffix(unit)) * UNITS[unit]


def tap(name):
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI))
    return device


def carry(devices, rate, delay):
    free, where, under_way, count = dict.fromkeys(devices, 0.0), {}, [], 0
    poll = select.epoll()
    for device in devices:
        poll.register(device, select.EPOLLIN)
    while True:
        wait = under_way[0][0] - time.monotonic() - LATE if under_way else -1
        ready = poll.poll(max(wait, 0) if under_way else -1)
        for device, _ in ready:
            try:
                frame = os.read(device, FRAME)
            except BlockingIOError:
                continue
            free[device] = max(free[device], time.monotonic()) + len(frame) / rate
            where[frame[6:12]] = device
            to = where.get(frame[:6])
            for to in [to] if to else [other for other in devices if other != device]:
                heapq.heappush(under_way, (free[device] + delay, count, to, frame))
                count += 1
        while under_way and under_way[0][0] <= time.monotonic():
            _, _, to, frame = heapq.heappop(under_way)
            try:
                os.write(to, frame)
            except OSError:
                pass  # whoever does not take it sees it again: TCP


if __name__ == "__main__":
    hosts, rate, delay = int(sys.argv[1]), number(sys.argv[2]), number(sys.argv[3])
    devices = [tap(f"convnet{host}") for host in range(1, hosts + 1)]
    print("there", flush=True)
    carry(devices, rate, delay)
