#!/usr/bin/env python3
"""The networks of `examples/bench` in ONNX Runtime, OpenVINO, ncnn and ours: one thread, batch 1.
And how many images a second they learn from, in PyTorch and ours.

    python3 benches/peers/compare.py [--only cifar,lenet] [--rounds 5] [--peers onnxruntime,ncnn]
    python3 benches/peers/compare.py --training [--batch 64]

Makes its own Python environment in `target/peers`, builds the example, runs every pair in a process
of its own, in turn, and prints a table: the median of the rounds' medians, and how many times ours is
faster than the best of the others. With `--fastest`, the fastest run of all rounds: for a machine on
which others work too.
"""
import argparse, glob, json, os, statistics, struct, subprocess, sys, time, venv

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PEERS = ["onnxruntime", "openvino", "ncnn"]
THREADS = ["OMP_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS"]

# A convolution is (filters, size, stride, pad), one of a filter a depth slice (size, stride, pad), a pool
# (size, stride, pad), an fc (filters), a residual (layers, layers of the shortcut). A pad is one number, or that
# above and left and that below and right. A batch_norm is folded, as the converters of all three peers do.
def vgg(*blocks):
    for count, filters in blocks:
        yield from [("conv", filters, 3, 1, 1), ("relu",)] * count
        yield ("pool", 2, 2)

def hidden(*filters):
    for k in filters:
        yield from [("fc", k), ("relu",)]

def stage(k, stride):
    """Two blocks of ResNet; where the volume changes, so does the shortcut."""
    for first, stride in ((stride == 2, stride), (False, 1)):
        body = [("conv", k, 3, stride, 1), ("relu",), ("conv", k, 3, 1, 1)]
        yield from [("residual", body, [("conv", k, 1, stride, 0)] if first else []), ("relu",)]

def separable(*layers):
    """Of MobileNet, padded as TensorFlow does."""
    for k, stride in layers:
        yield from [("depthwise", 3, stride, 1 if stride == 1 else (0, 1)), ("relu6",), ("conv", k, 1, 1, 0), ("relu6",)]

NETS = {
    "cifar": ((3, 32), [("conv", 12, 5, 1, 2), ("relu",), ("pool", 2, 2), ("fc", 10)]),
    "lenet": ((1, 28), [("conv", 6, 5, 1, 2), ("relu",), ("pool", 2, 2), ("conv", 16, 5, 1, 0), ("relu",),
                        ("pool", 2, 2), *hidden(120, 84), ("fc", 10)]),
    "tiny_vgg": ((3, 32), [*vgg((2, 32), (2, 64), (2, 128)), *hidden(256), ("fc", 10)]),
    "alexnet_conv1": ((3, 227), [("conv", 96, 11, 4, 0)]),
    "alexnet": ((3, 227), [("conv", 96, 11, 4, 0), ("relu",), ("pool", 3, 2), ("conv", 256, 5, 1, 2), ("relu",),
                           ("pool", 3, 2), ("conv", 384, 3, 1, 1), ("relu",), ("conv", 384, 3, 1, 1), ("relu",),
                           ("conv", 256, 3, 1, 1), ("relu",), ("pool", 3, 2), *hidden(4096, 4096), ("fc", 1000)]),
    "vgg16": ((3, 224), [*vgg((2, 64), (2, 128), (3, 256), (3, 512), (3, 512)), *hidden(4096, 4096), ("fc", 1000)]),
    "3x3_64_56": ((64, 56), [("conv", 64, 3, 1, 1)]),
    "3x3_128_28": ((128, 28), [("conv", 128, 3, 1, 1)]),
    "3x3_256_14": ((256, 14), [("conv", 256, 3, 1, 1)]),
    "3x3_512_7": ((512, 7), [("conv", 512, 3, 1, 1)]),
    "1x1_256_14": ((256, 14), [("conv", 256, 1, 1, 0)]),
    "resnet18": ((3, 224), [("conv", 64, 7, 2, 3), ("relu",), ("pool", 3, 2, 1), *stage(64, 1), *stage(128, 2),
                            *stage(256, 2), *stage(512, 2), ("average",), ("fc", 1000)]),
    "mobilenet25_96": ((3, 96), [("conv", 8, 3, 2, (0, 1)), ("relu6",), *separable((16, 1), (32, 2), (32, 1), (64, 2),
                                 (64, 1), (128, 2), *[(128, 1)] * 5, (256, 2), (256, 1)), ("average",), ("fc", 1000)]),
}

def pads(layer):
    pad = layer[-1]
    return pad if isinstance(pad, tuple) else (pad, pad)

def after(layer, volume):
    """The volume that a layer writes, [depth, side]."""
    depth, side = volume
    slide = lambda size, stride: (side + sum(pads(layer)) - size) // stride + 1
    if layer[0] == "conv":
        return layer[1], slide(*layer[2:4])
    if layer[0] == "depthwise":
        return depth, slide(*layer[1:3])
    if layer[0] == "pool":
        return depth, (side + 2 * (layer[3] if len(layer) > 3 else 0) - layer[1]) // layer[2] + 1
    if layer[0] == "residual":
        for inner in layer[1]:
            volume = after(inner, volume)
        return volume
    return {"fc": (layer[-1], 1), "average": (depth, 1)}.get(layer[0], volume)

def walk(name):
    """Every layer with the volume it reads and the one it writes."""
    volume, layers = NETS[name]
    for layer in layers:
        before, volume = volume, after(layer, volume)
        yield layer, before, volume

def weights(layers, volume, rng):
    """Filters and bias of every layer that has some, drawn as Kaiming's."""
    import numpy as np
    for layer in layers:
        depth, side = volume
        if layer[0] == "residual":
            for way in layer[1:]:
                yield from weights(way, volume, rng)
        volume = after(layer, volume)
        if layer[0] in ("conv", "depthwise", "fc"):
            size = {"conv": layer[2] if len(layer) > 2 else 0, "depthwise": layer[1], "fc": side}[layer[0]]
            seen = 1 if layer[0] == "depthwise" else depth
            scale = np.float32((2 / (seen * size * size)) ** 0.5)
            yield rng.standard_normal((volume[0], seen, size, size), dtype=np.float32) * scale, \
                np.zeros(volume[0], np.float32)

def learned(name):
    import numpy as np
    volume, layers = NETS[name]
    return weights(layers, volume, np.random.default_rng(1))

def onnx_file(name, path):
    import numpy as np
    import onnx
    from onnx import TensorProto, helper, numpy_helper
    nodes, tensors, parts = [], [], learned(name)
    def tensor(value):
        tensors.append(numpy_helper.from_array(value, f"t{len(tensors)}"))
        return tensors[-1].name
    def node(op, inputs, **attributes):
        nodes.append(helper.make_node(op, inputs, [f"v{len(nodes)}"], **attributes))
        return nodes[-1].output[0]
    def way(layers, at, volume):
        flat = False
        for layer in layers:
            if layer[0] in ("conv", "depthwise"):
                size, stride = layer[2:4] if layer[0] == "conv" else layer[1:3]
                (first, last), groups = pads(layer), 1 if layer[0] == "conv" else volume[0]
                at = node("Conv", [at, *map(tensor, next(parts))], kernel_shape=[size] * 2, strides=[stride] * 2,
                          pads=[first] * 2 + [last] * 2, group=groups)
            elif layer[0] == "relu":
                at = node("Relu", [at])
            elif layer[0] == "relu6":
                at = node("Clip", [at, tensor(np.float32(0)), tensor(np.float32(6))])
            elif layer[0] == "pool":
                pad = layer[3] if len(layer) > 3 else 0
                at = node("MaxPool", [at], kernel_shape=[layer[1]] * 2, strides=[layer[2]] * 2, pads=[pad] * 4)
            elif layer[0] == "average":
                at = node("GlobalAveragePool", [at])
            elif layer[0] == "residual":
                ways = [way(inner, at, volume)[0] for inner in layer[1:]]
                at = node("Add", ways)
            else:
                if not flat:
                    at, flat = node("Flatten", [at]), True
                filters, bias = next(parts)
                at = node("Gemm", [at, tensor(filters.reshape(len(filters), -1)), tensor(bias)], transB=1)
            volume = after(layer, volume)
        return at, [1, volume[0]] + ([] if flat else [volume[1]] * 2)
    volume, layers = NETS[name]
    at, out = way(layers, "x", volume)
    value = lambda name, shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
    shape = [1, volume[0], volume[1], volume[1]]
    graph = helper.make_graph(nodes, name, [value("x", shape)], [value(at, out)], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    onnx.save(model, path)

def ncnn_files(name, path):
    """ncnn's own text format; a relu is fused into the layer before it, as its converter does."""
    lines, parts, blobs = ["Input x 0 1 x"], learned(name), 1
    def add(kind, inputs, text, outputs=1):
        nonlocal blobs
        names = [f"v{blobs + i}" for i in range(outputs)]
        blobs += outputs
        lines.append(f"{kind} l{len(lines)} {len(inputs)} {outputs} {' '.join(inputs)} {' '.join(names)} {text}")
        return names
    def way(layers, at, volume, file):
        for i, layer in enumerate(layers):
            follows = layers[i + 1][0] if i + 1 < len(layers) else ""
            fused = {"relu": " 9=1", "relu6": " 9=3 -23310=2,0.0,6.0"}.get(follows, "")
            if layer[0] in ("conv", "depthwise", "fc"):
                filters, bias = next(parts)
                file.write(struct.pack("<I", 0) + filters.tobytes() + bias.tobytes())
                k = len(filters)
                if layer[0] == "fc":
                    [at] = add("InnerProduct", [at], f"0={k} 1=1 2={filters.size}{fused}")
                else:
                    size, stride = layer[2:4] if layer[0] == "conv" else layer[1:3]
                    first, last = pads(layer)
                    kind, groups = ("Convolution", "") if layer[0] == "conv" else ("ConvolutionDepthWise", f" 7={k}")
                    [at] = add(kind, [at], f"0={k} 1={size} 2=1 3={stride} 4={first} 14={first} 15={last} 16={last} "
                                           f"5=1 6={filters.size}{groups}{fused}")
            elif layer[0] == "pool":
                [at] = add("Pooling", [at], f"0=0 1={layer[1]} 2={layer[2]} 3={layer[3] if len(layer) > 3 else 0} 5=1")
            elif layer[0] == "average":
                [at] = add("Pooling", [at], "0=1 4=1")
            elif layer[0] == "residual":
                ways = add("Split", [at], "", 2)
                ends = [way(inner, start, volume, file) for inner, start in zip(layer[1:], ways)]
                [at] = add("BinaryOp", ends, "0=0")
            elif layers[i - 1][0] == "residual":
                [at] = add("ReLU", [at], "")
            volume = after(layer, volume)
        return at
    with open(path + ".bin", "wb") as file:
        volume, layers = NETS[name]
        last = way(layers, "x", volume, file)
    with open(path + ".param", "w") as file:
        file.write(f"7767517\n{len(lines)} {blobs}\n" + "\n".join(lines) + "\n")
    return last

def image(name):
    import numpy as np
    depth, side = NETS[name][0]
    return np.random.default_rng(0).standard_normal((1, depth, side, side), dtype=np.float32)

def runner(peer, name, folder, x):
    """A closure that runs the network once on `x`, which it may share: the caller keeps it."""
    path = os.path.join(folder, name)
    if peer == "ncnn":
        import ncnn
        last = ncnn_files(name, path)
        net = ncnn.Net()
        net.opt.num_threads = 1
        for option in ("use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic", "use_bf16_storage"):
            setattr(net.opt, option, False)
        net.load_param(path + ".param")
        net.load_model(path + ".bin")
        mat = ncnn.Mat(x[0])
        def run():
            extractor = net.create_extractor()
            extractor.input("x", mat)
            extractor.extract(last)
        return run
    model = path + ".onnx"
    if not os.path.exists(model):
        onnx_file(name, model)
    if peer == "onnxruntime":
        import onnxruntime
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        value = onnxruntime.OrtValue.ortvalue_from_numpy(x)
        binding = session.io_binding()
        binding.bind_ortvalue_input("x", value)
        binding.bind_output(session.get_outputs()[0].name)
        return lambda: session.run_with_iobinding(binding)
    import openvino
    settings = {"INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1, "INFERENCE_PRECISION_HINT": "f32"}
    request = openvino.Core().compile_model(model, "CPU", settings).create_infer_request()
    request.set_input_tensor(openvino.Tensor(x, shared_memory=True))
    return request.infer

def measure(run, seconds):
    """Median and fastest run, in ms."""
    for _ in range(3):
        run()
    times, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 5:
        start = time.perf_counter_ns()
        run()
        times.append((time.perf_counter_ns() - start) / 1e6)
    return {"median_ms": statistics.median(times), "fastest_ms": min(times)}

def last_row(command, threads="1"):
    """The last line of JSON that a command prints, on so many threads."""
    env = {**os.environ, **{variable: threads for variable in THREADS}}
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    rows = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if not rows:
        sys.exit(f"{' '.join(command)} measured nothing:\n{done.stderr}")
    return json.loads(rows[-1])

def torch_training(name, batch, threads, layout, seconds):
    """Images a second, by stochastic gradient descent with momentum."""
    import torch
    from torch import nn
    torch.set_num_threads(threads)
    modules, flat = [], False
    for layer, (depth, side), _ in walk(name):
        if layer[0] == "conv":
            modules.append(nn.Conv2d(depth, layer[1], *layer[2:]))
        elif layer[0] == "relu":
            modules.append(nn.ReLU())
        elif layer[0] == "pool":
            modules.append(nn.MaxPool2d(*layer[1:]))
        else:
            modules += [] if flat else [nn.Flatten()]
            modules.append(nn.Linear(depth * side * side, layer[1]))
            flat = True
    depth, side = NETS[name][0]
    memory_format = getattr(torch, layout)
    net = nn.Sequential(*modules).to(memory_format=memory_format)
    images = torch.randn(batch, depth, side, side).to(memory_format=memory_format)
    labels = torch.arange(batch) * 7 % 10
    optimizer, loss = torch.optim.SGD(net.parameters(), lr=1e-3, momentum=0.9), nn.CrossEntropyLoss()
    def step():
        optimizer.zero_grad(set_to_none=True)
        loss(net(images), labels).backward()
        optimizer.step()
    return {"images_per_second": batch / measure(step, seconds)["median_ms"] * 1e3}

def training_table(options, example, report):
    """One thread and two, in turn; PyTorch in its usual layout and with channels last."""
    layouts = ["contiguous_format", "channels_last"]
    print("| network | threads | convnet, images/s | PyTorch | PyTorch, channels last | times the best |")
    print("|---|--:|--:|--:|--:|--:|")
    for name in (options.only or "cifar,lenet,tiny_vgg").split(","):
        for threads in "12":
            rows_of = {"convnet": [], **{layout: [] for layout in layouts}}
            for _ in range(options.rounds):
                command = [example, "--json", "--training", "--only", name, "--threads", threads,
                           "--batch", str(options.batch), "--seconds", str(options.seconds)]
                rows_of["convnet"].append(last_row(command, threads))
                for layout in layouts:
                    command = [sys.executable, __file__, "--folder", options.folder, "--seconds", str(options.seconds),
                               "--batch", str(options.batch), "--one-training", name, threads, layout]
                    rows_of[layout].append(last_row(command, threads))
            speeds = [statistics.median(row["images_per_second"] for row in rows) for rows in rows_of.values()]
            cells = " | ".join(f"{speed:,.0f}" for speed in speeds)
            print(f"| {name} | {threads} | {cells} | {speeds[0] / max(speeds[1:]):.2f} |", flush=True)
            report["rows"].append({"name": name, "threads": int(threads), **rows_of})

def machine(example):
    """On what it is measured: the processor, the instruction set that the kernels take, caches, and the peak."""
    def first(path, prefix=""):
        """What stands behind the colon of the first such line, or the whole line; "?" where there is no such file."""
        try:
            lines = [line for line in open(path) if line.startswith(prefix)]
            return lines[0].split(":")[-1].strip() if lines else "?"
        except OSError:
            return "?"
    caches = []
    for cache in sorted(glob.glob("/sys/devices/system/cpu/cpu0/cache/index*")):
        kind, level, size = (first(f"{cache}/{name}") for name in ("type", "level", "size"))
        if kind != "Instruction":
            caches.append(f"L{level} {size}")
    text = subprocess.run([example, "--only", "cifar", "--seconds", "0.1"], capture_output=True, text=True).stdout
    peaks = [last_row([example, "--json", "--only", "cifar", "--seconds", "0.1"])["peak_gflops"] for _ in range(3)]
    versions = subprocess.run([sys.executable, "-m", "pip", "list", "--format", "json"], capture_output=True, text=True)
    peers = {row["name"]: row["version"] for row in json.loads(versions.stdout or "[]") if row["name"] in [*PEERS, "torch"]}
    return {"processor": first("/proc/cpuinfo", "model name"), "family": first("/proc/cpuinfo", "cpu family"),
            "model": first("/proc/cpuinfo", "model\t"), "level": text.partition("(")[0], "caches": caches,
            "peak_gflops": round(max(peaks), 1), "peers": peers}

def environment(folder, training):
    """Goes on in the environment that has the peers; makes it first."""
    python = os.path.join(folder, "venv", "bin", "python")
    if not os.path.exists(python):
        venv.create(os.path.join(folder, "venv"), with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "numpy", "onnx", *PEERS], check=True)
    if training and subprocess.run([python, "-c", "import torch"], capture_output=True).returncode:
        subprocess.run([python, "-m", "pip", "install", "-q", "torch"], check=True)
    if os.path.abspath(sys.prefix) != os.path.abspath(os.path.join(folder, "venv")):
        os.execv(python, [python, *sys.argv])

def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", help="networks, by commas")
    parser.add_argument("--peers", default=",".join(PEERS), help="by commas")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.5, help="a network and round")
    parser.add_argument("--fastest", action="store_true", help="the fastest run of all rounds")
    parser.add_argument("--json", help="a file, for what was measured")
    parser.add_argument("--folder", default=os.path.join(ROOT, "target", "peers"))
    parser.add_argument("--training", action="store_true", help="images a second, beside PyTorch")
    parser.add_argument("--batch", type=int, default=64, help="images a step of training")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--one-training", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    os.makedirs(options.folder, exist_ok=True)
    environment(options.folder, options.training)
    if options.one:
        x = image(options.one[1])
        print(json.dumps(measure(runner(*options.one, options.folder, x), options.seconds)))
        return
    if options.one_training:
        name, threads, layout = options.one_training
        print(json.dumps(torch_training(name, options.batch, int(threads), layout, options.seconds)))
        return
    subprocess.run(["cargo", "build", "--release", "--example", "bench"], cwd=ROOT, check=True)
    example = os.path.join(os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target")), "release/examples/bench")
    report = {"machine": machine(example), "options": vars(options), "rows": []}
    of = report["machine"]
    print(f"{of['processor']} (family {of['family']}, model {of['model']}), {of['level']}, {', '.join(of['caches'])}, "
          f"{of['peak_gflops']} GFLOP/s a core; {', '.join(' '.join(peer) for peer in of['peers'].items())}\n", flush=True)
    if options.training:
        training_table(options, example, report)
    else:
        table(options, example, report)
    if options.json:
        with open(options.json, "w") as file:
            json.dump(report, file, indent=1)

def table(options, example, report):
    """Batch 1, one thread, every pair in turn."""
    peers = options.peers.split(",")
    key = "fastest_ms" if options.fastest else "median_ms"
    print("| network | convnet, ms | share of the peak | " + " | ".join(peers) + " | times the best |")
    print("|---|" + "--:|" * (len(peers) + 3))
    for name in (options.only or ",".join(NETS)).split(","):
        rows = {peer: [] for peer in ["convnet", *peers]}
        shares = []
        for _ in range(options.rounds):
            row = last_row([example, "--json", "--only", name, "--seconds", str(options.seconds)])
            rows["convnet"].append(row[key])
            shares.append(row["gflop"] / row[key] * 1e3 / row["peak_gflops"])
            for peer in peers:
                command = [sys.executable, __file__, "--folder", options.folder, "--seconds", str(options.seconds)]
                rows[peer].append(last_row([*command, "--one", peer, name])[key])
        ms = {peer: (min if options.fastest else statistics.median)(times) for peer, times in rows.items()}
        best = min(ms[peer] for peer in peers)
        share = max(shares) if options.fastest else statistics.median(shares)
        cells = [f"{ms['convnet']:.4g}", f"{share:.0%}", *(f"{ms[peer]:.4g}" for peer in peers)]
        print(f"| {name} | " + " | ".join(cells) + f" | {best / ms['convnet']:.2f} |", flush=True)
        report["rows"].append({"name": name, key: rows, "share_of_peak": shares})

main()
