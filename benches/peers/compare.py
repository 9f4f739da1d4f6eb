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
import argparse, json, os, statistics, struct, subprocess, sys, time, venv

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PEERS = ["onnxruntime", "openvino", "ncnn"]
THREADS = ["OMP_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS"]

# A convolution is (filters, size, stride, pad), a pool (size, stride), an fc (filters).
def vgg(*blocks):
    for count, filters in blocks:
        yield from [("conv", filters, 3, 1, 1), ("relu",)] * count
        yield ("pool", 2, 2)

def hidden(*filters):
    for k in filters:
        yield from [("fc", k), ("relu",)]

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
}

def walk(name):
    """Every layer with the volume it reads and the one it writes, [depth, side]."""
    (depth, side), layers = NETS[name]
    for layer in layers:
        before = (depth, side)
        if layer[0] == "conv":
            _, depth, size, stride, pad = layer
            side = (side + 2 * pad - size) // stride + 1
        elif layer[0] == "pool":
            side = (side - layer[1]) // layer[2] + 1
        elif layer[0] == "fc":
            depth, side = layer[1], 1
        yield layer, before, (depth, side)

def weights(name):
    """Filters and bias of every layer that has some, drawn as Kaiming's."""
    import numpy as np
    rng = np.random.default_rng(1)
    for layer, (depth, side), _ in walk(name):
        if layer[0] in ("conv", "fc"):
            size = layer[2] if layer[0] == "conv" else side
            scale = np.float32((2 / (depth * size * size)) ** 0.5)
            filters = rng.standard_normal((layer[1], depth, size, size), dtype=np.float32) * scale
            yield filters, np.zeros(layer[1], np.float32)

def onnx_file(name, path):
    import onnx
    from onnx import TensorProto, helper, numpy_helper
    nodes, tensors, at, flat = [], [], "x", False
    learned = weights(name)
    def node(op, inputs, **attributes):
        nonlocal at
        at = f"v{len(nodes)}"
        nodes.append(helper.make_node(op, inputs, [at], **attributes))
    def parameters(flatten):
        names = []
        for part, tensor in zip("wb", next(learned)):
            tensor = tensor.reshape(len(tensor), -1) if flatten and part == "w" else tensor
            names.append(f"{part}{len(tensors)}")
            tensors.append(numpy_helper.from_array(tensor, names[-1]))
        return names
    shape = [1, NETS[name][0][0], NETS[name][0][1], NETS[name][0][1]]
    for layer, _, (depth, side) in walk(name):
        if layer[0] == "conv":
            _, _, size, stride, pad = layer
            node("Conv", [at, *parameters(False)], kernel_shape=[size] * 2, strides=[stride] * 2, pads=[pad] * 4)
        elif layer[0] == "relu":
            node("Relu", [at])
        elif layer[0] == "pool":
            node("MaxPool", [at], kernel_shape=[layer[1]] * 2, strides=[layer[2]] * 2)
        else:
            if not flat:
                node("Flatten", [at])
                flat = True
            node("Gemm", [at, *parameters(True)], transB=1)
    out = [1, depth] if flat else [1, depth, side, side]
    value = lambda name, shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
    graph = helper.make_graph(nodes, name, [value("x", shape)], [value(at, out)], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    onnx.save(model, path)

def ncnn_files(name, path):
    """ncnn's own text format; a relu is fused into the layer before it, as its converter does."""
    lines, at, learned = ["Input x 0 1 x"], "x", weights(name)
    layers = list(walk(name))
    with open(path + ".bin", "wb") as file:
        for i, (layer, (depth, side), _) in enumerate(layers):
            relu = i + 1 < len(layers) and layers[i + 1][0][0] == "relu"
            fused = " 9=1" if relu else ""
            if layer[0] == "relu":
                continue
            if layer[0] == "pool":
                text, kind = f"0=0 1={layer[1]} 2={layer[2]} 3=0 5=1", "Pooling"
            else:
                filters, bias = next(learned)
                file.write(struct.pack("<I", 0) + filters.tobytes() + bias.tobytes())
                if layer[0] == "conv":
                    _, k, size, stride, pad = layer
                    text, kind = f"0={k} 1={size} 2=1 3={stride} 4={pad} 5=1 6={filters.size}{fused}", "Convolution"
                else:
                    text, kind = f"0={layer[1]} 1=1 2={filters.size}{fused}", "InnerProduct"
            lines.append(f"{kind} l{i} 1 1 {at} v{i} {text}")
            at = f"v{i}"
    with open(path + ".param", "w") as file:
        file.write(f"7767517\n{len(lines)} {len(lines)}\n" + "\n".join(lines) + "\n")
    return at

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

def training_table(options, example):
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
    if options.training:
        training_table(options, example)
        return
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

main()
