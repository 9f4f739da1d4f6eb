#!/usr/bin/env python3
"""The networks of `examples/bench` in ONNX Runtime, OpenVINO, ncnn, tract, rten, burn, candle and ours: one thread,
batch 1. And how many images a second they learn from, in PyTorch and ours.

    python3 benches/peers/compare.py [--only cifar,lenet] [--rounds 5] [--peers onnxruntime,ncnn]
    python3 benches/peers/compare.py --images 32 --threads 2
    python3 benches/peers/compare.py --int8 [--only resnet18]
    python3 benches/peers/compare.py --training [--batch 64]

Makes its own Python environment in `target/peers`, builds the example, which writes its networks there as ONNX
models, with an image and what it is scored by ours. ncnn's own converter, pnnx, makes ncnn's files of them; the
libraries of Rust are a program of `benches/peers/rust`, where burn and candle, which read no such file at run time, go
through it step by step. Each peer's scores are held against ours first: a row whose largest difference is more than 1e-4 of the largest score
is refused. Then every pair runs in a process of its own, in turn, and a table is printed: the median of the
rounds' medians, and how many times ours is faster than the best of the others; and the same of the fastest run of all
rounds, for a machine on which others work too.

With `--int8`, our networks in bytes beside our `f32` and beside ONNX Runtime's: its own quantisation makes a model with
QuantizeLinear and DequantizeLinear nodes, activations u8 and filters i8, a scale a filter, by the image and seven of
noise. Without VNNI its sums of two products saturate at 16 bits; "exact" is with its option that keeps it from that
(`session.x64quantprecision`), and how far the scores of each are off from `f32`, of the largest, stands beside it.
(ncnn's converter to int8 is not in its Python package.)
"""
import argparse, glob, json, os, re, statistics, subprocess, sys, time, venv

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PEERS = ["onnxruntime", "openvino", "ncnn"]
# Peers in Rust, with the crate that has their version.
RUST = {"tract": "tract-onnx", "rten": "rten", "burn": "burn-tensor", "candle": "candle-core"}
THREADS = ["OMP_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS"]

# What a peer's scores may differ by from ours, of the largest.
DIFFERENCE = 1e-4

def model(folder, name):
    """The model of a network, the image, and its scores by ours."""
    import numpy as np
    import onnx
    path = os.path.join(folder, name)
    at = onnx.load(path + ".onnx", load_external_data=False).graph.input[0]
    sizes = [axis.dim_value for axis in at.type.tensor_type.shape.dim][1:]
    image = np.fromfile(path + ".image", np.float32).reshape(1, *sizes)
    return path, at.name, image, np.fromfile(path + ".scores", np.float32)

def runner(peer, path, at, x, threads, exact=False):
    """A closure that runs the network once on all images of `x`, which it may share: the caller keeps it. It
    gives the scores back, or what holds them. `exact` keeps ONNX Runtime from sums of bytes that saturate."""
    if peer == "ncnn":
        import ncnn
        if not os.path.exists(path + ".ncnn.param"):
            pnnx = os.path.join(os.path.dirname(sys.executable), "pnnx")
            sizes = ",".join(map(str, (1, *x.shape[1:])))
            subprocess.run([pnnx, path + ".onnx", f"inputshape=[{sizes}]", "fp16=0"], check=True, capture_output=True)
        net = ncnn.Net()
        net.opt.num_threads = threads
        for option in ("use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic", "use_bf16_storage"):
            setattr(net.opt, option, False)
        net.load_param(path + ".ncnn.param")
        net.load_model(path + ".ncnn.bin")
        mats = [ncnn.Mat(image) for image in x]
        def run():
            for mat in mats:
                extractor = net.create_extractor()
                extractor.input("in0", mat)
                _, scores = extractor.extract("out0")
            return scores
        return run
    if peer == "onnxruntime":
        import onnxruntime
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        if exact:
            options.add_session_config_entry("session.x64quantprecision", "1")
        session = onnxruntime.InferenceSession(path + ".onnx", options, providers=["CPUExecutionProvider"])
        value = onnxruntime.OrtValue.ortvalue_from_numpy(x)
        binding = session.io_binding()
        binding.bind_ortvalue_input(at, value)
        binding.bind_output(session.get_outputs()[0].name)
        def run():
            session.run_with_iobinding(binding)
            return binding.get_outputs()[0]
        return run
    import openvino
    settings = {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1, "INFERENCE_PRECISION_HINT": "f32"}
    core = openvino.Core()
    graph = core.read_model(path + ".onnx")
    graph.reshape(list(x.shape))
    request = core.compile_model(graph, "CPU", settings).create_infer_request()
    request.set_input_tensor(openvino.Tensor(x, shared_memory=True))
    def run():
        request.infer()
        return request.get_output_tensor().data
    return run

def quantized(path, at, image):
    """The model with QuantizeLinear and DequantizeLinear nodes."""
    import numpy as np
    from onnxruntime import quantization as q
    to = path + ".int8.onnx"
    if os.path.exists(to):
        return to
    class Images(q.CalibrationDataReader):
        """The image, and noise."""
        left = [image] + [np.random.default_rng(seed).normal(size=image.shape).astype(np.float32) for seed in range(7)]
        def get_next(self):
            return {at: self.left.pop()} if self.left else None
    q.shape_inference.quant_pre_process(path + ".onnx", path + ".pre.onnx", skip_symbolic_shape=True)
    q.quantize_static(path + ".pre.onnx", to, Images(), quant_format=q.QuantFormat.QDQ, per_channel=True,
                      activation_type=q.QuantType.QUInt8, weight_type=q.QuantType.QInt8)
    return to

def both(rows):
    """What each took, in ms: the median of the medians, and the fastest run of all rounds."""
    return [{of: middle(row[key] for row in rounds) for of, rounds in rows.items()}
            for key, middle in (("median_ms", statistics.median), ("fastest_ms", min))]

def int8_table(options, example, report):
    """Ours in bytes, ours in `f32` and ONNX Runtime's in bytes, in turn."""
    for old in glob.glob(os.path.join(options.folder, "*.int8.onnx")): # of another network, it may be
        os.remove(old)
    subprocess.run([example, "--onnx", options.folder], check=True, capture_output=True)
    print("| network | convnet int8, ms | convnet f32 | onnxruntime int8 | exact | times f32 | times onnxruntime | times exact"
          " | fastest runs | times f32 | times onnxruntime | times exact | onnxruntime is off by | exact |")
    print("|---|" + "--:|" * 13)
    # Networks that have an int8 form.
    names = ("cifar,lenet,tiny_vgg,alexnet,vgg16,3x3_64_56,3x3_128_28,3x3_256_14,3x3_512_7,1x1_256_14,resnet18,"
             "mobilenet25_96,squeezenet11,resnet50,mobilenet,mobilenetv2,efficientnet_b0")
    for name in (options.only or names).split(","):
        seconds = ["--seconds", str(options.seconds)]
        ours = [example, "--json", "--only", name, *seconds]
        peer = [sys.executable, __file__, "--folder", options.folder, *seconds, "--int8", "--one", "onnxruntime", name]
        commands = {"int8": [*ours, "--int8", *(["--machine", options.machine] if options.machine else [])],
                    "f32": [*ours, *(["--level", "avx2"] if options.machine else [])],
                    "onnxruntime": peer, "exact": [*peer, "--exact"]}
        rows = {of: [] for of in commands}
        for _ in range(options.rounds):
            for of, command in commands.items():
                rows[of].append(last_row(command))
        ms, fastest = both(rows)
        others = ("f32", "onnxruntime", "exact")
        times, times_fastest = ([f"{of[other] / of['int8']:.2f}" for other in others] for of in (ms, fastest))
        off = [f"{rows[of][0]['difference']:.1%}" for of in ("onnxruntime", "exact")]
        cells = [*(f"{each:.4g}" for each in ms.values()), *times, f"{fastest['int8']:.4g}", *times_fastest, *off]
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)
        report["rows"].append({"name": name, **rows})

def difference(scores, expected):
    """The largest from what was expected of the last image, of the largest."""
    import numpy as np
    scores = scores.numpy() if hasattr(scores, "numpy") else np.array(scores)
    scores = scores.reshape(-1)[-len(expected):]
    return float(np.abs(scores - expected).max() / np.abs(expected).max())

def measured(peer, options, name):
    """Median and fastest run, in ms an image, and how far the scores are off."""
    import numpy as np
    path, at, image, expected = model(options.folder, name)
    if options.int8:
        run = runner(peer, quantized(path, at, image).removesuffix(".onnx"), at, image, 1, options.exact)
        off = difference(run(), expected)
        return {**measure(run, options.seconds), "difference": off}
    x = np.ascontiguousarray(np.repeat(image, options.images, 0))
    run = runner(peer, path, at, x, options.threads)
    off = difference(run(), expected)
    row = {key: ms / options.images for key, ms in measure(run, options.seconds).items()}
    return {**row, "difference": off}

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

# What is trained: conv (filters, size, stride, pad), pool (size, stride), fc (filters).
TRAINED = {
    "cifar": ((3, 32), [("conv", 12, 5, 1, 2), ("relu",), ("pool", 2, 2), ("fc", 10)]),
    "lenet": ((1, 28), [("conv", 6, 5, 1, 2), ("relu",), ("pool", 2, 2), ("conv", 16, 5, 1, 0), ("relu",),
                        ("pool", 2, 2), ("fc", 120), ("relu",), ("fc", 84), ("relu",), ("fc", 10)]),
    "tiny_vgg": ((3, 32), [layer for k in (32, 64, 128)
                           for layer in [("conv", k, 3, 1, 1), ("relu",)] * 2 + [("pool", 2, 2)]]
                 + [("fc", 256), ("relu",), ("fc", 10)]),
}

def torch_training(name, batch, threads, layout, seconds):
    """Images a second, by stochastic gradient descent with momentum."""
    import torch
    from torch import nn
    torch.set_num_threads(threads)
    modules, flat = [], False
    (depth, side), layers = TRAINED[name]
    volume = depth, side
    for layer in layers:
        if layer[0] == "conv":
            modules.append(nn.Conv2d(depth, *layer[1:]))
            depth, side = layer[1], side + 2 * layer[4] - layer[2] + 1
        elif layer[0] == "relu":
            modules.append(nn.ReLU())
        elif layer[0] == "pool":
            modules.append(nn.MaxPool2d(*layer[1:]))
            side //= layer[2]
        else:
            modules += [] if flat else [nn.Flatten()]
            modules.append(nn.Linear(depth * side * side, layer[1]))
            (depth, side), flat = (layer[1], 1), True
    depth, side = volume
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
    lock = open(os.path.join(HERE, "rust", "Cargo.lock")).read()
    crates = dict(re.findall(r'name = "(.*)"\nversion = "(.*)"', lock))
    peers |= {peer: crates[crate] for peer, crate in RUST.items()}
    return {"processor": first("/proc/cpuinfo", "model name"), "family": first("/proc/cpuinfo", "cpu family"),
            "model": first("/proc/cpuinfo", "model\t"), "level": text.partition("(")[0], "caches": caches,
            "peak_gflops": round(max(peaks), 1), "peers": peers}

def environment(folder, training):
    """Goes on in the environment that has the peers; makes it first."""
    python = os.path.join(folder, "venv", "bin", "python")
    if not os.path.exists(python):
        venv.create(os.path.join(folder, "venv"), with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "numpy", "onnx", "pnnx", *PEERS], check=True)
    if training and subprocess.run([python, "-c", "import torch"], capture_output=True).returncode:
        subprocess.run([python, "-m", "pip", "install", "-q", "torch"], check=True)
    if os.path.abspath(sys.prefix) != os.path.abspath(os.path.join(folder, "venv")):
        os.execv(python, [python, *sys.argv])

def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", help="networks, by commas")
    parser.add_argument("--peers", default=",".join([*PEERS, *RUST]), help="by commas")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.5, help="a network and round")
    parser.add_argument("--images", type=int, default=1, help="so many at a time; a row is of one of them")
    parser.add_argument("--threads", type=int, default=1, help="of which each has so many")
    parser.add_argument("--json", help="a file, for what was measured")
    parser.add_argument("--folder", default=os.path.join(ROOT, "target", "peers"))
    parser.add_argument("--int8", action="store_true", help="in bytes, beside f32 and ONNX Runtime")
    parser.add_argument("--machine", help="how our bytes are multiplied: vnni256 or maddubs, beside f32 with AVX2")
    parser.add_argument("--training", action="store_true", help="images a second, beside PyTorch")
    parser.add_argument("--batch", type=int, default=64, help="images a step of training")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--exact", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--one-training", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    os.makedirs(options.folder, exist_ok=True)
    environment(options.folder, options.training)
    if options.one:
        peer, name = options.one
        print(json.dumps(measured(peer, options, name)))
        return
    if options.one_training:
        name, threads, layout = options.one_training
        print(json.dumps(torch_training(name, options.batch, int(threads), layout, options.seconds)))
        return
    example = built(ROOT, "examples/bench", "--features", "onnx", "--example", "bench")
    report = {"machine": machine(example), "options": vars(options), "rows": []}
    of = report["machine"]
    print(f"{of['processor']} (family {of['family']}, model {of['model']}), {of['level']}, {', '.join(of['caches'])}, "
          f"{of['peak_gflops']} GFLOP/s a core; {', '.join(' '.join(peer) for peer in of['peers'].items())}\n", flush=True)
    if options.training:
        training_table(options, example, report)
    elif options.int8:
        int8_table(options, example, report)
    else:
        table(options, example, report)
    if options.json:
        with open(options.json, "w") as file:
            json.dump(report, file, indent=1)

def built(folder, program, *options):
    """Where a program of a workspace is, once cargo has built it."""
    subprocess.run(["cargo", "build", "--release", "--locked", *options], cwd=folder, check=True)
    return os.path.join(os.environ.get("CARGO_TARGET_DIR", os.path.join(folder, "target")), "release", program)

def table(options, example, report):
    """Every pair in turn."""
    peers = options.peers.split(",")
    rust = RUST.keys() & set(peers) and built(os.path.join(HERE, "rust"), "peers")
    for old in glob.glob(os.path.join(options.folder, "*.ncnn.*")): # of another network, it may be
        os.remove(old)
    written = subprocess.run([example, "--onnx", options.folder], check=True, capture_output=True, text=True)
    print("| network | convnet, ms | share of the peak | " + " | ".join(peers)
          + " | times the best | fastest runs | times the best | difference |")
    print("|---|" + "--:|" * (len(peers) + 6))
    for name in (options.only or ",".join(written.stdout.split())).split(","):
        rows = {peer: [] for peer in ["convnet", *peers]}
        ours = [example, "--json", "--only", name, "--seconds", str(options.seconds)]
        if options.images > 1 or options.threads > 1:
            ours += ["--images", str(options.images), "--threads", str(options.threads)]
        common = ["--seconds", str(options.seconds), "--images", str(options.images), "--threads", str(options.threads)]
        commands = {"convnet": ours}
        for peer in peers:
            commands[peer] = ([rust, peer, options.folder, name, *common] if peer in RUST else
                              [sys.executable, __file__, "--folder", options.folder, *common, "--one", peer, name])
        for _ in range(options.rounds):
            for peer, command in commands.items():
                rows[peer].append(last_row(command, str(options.threads)))
        ms, fastest = both(rows)
        times, times_fastest = (min(of[peer] for peer in peers) / of["convnet"] for of in (ms, fastest))
        share = statistics.median(row["gflop"] / row["median_ms"] * 1e3 / row["peak_gflops"] for row in rows["convnet"])
        off, farthest = max((row["difference"], peer) for peer in peers for row in rows[peer])
        cells = [f"{ms['convnet']:.4g}", f"{share:.0%}", *(f"{ms[peer]:.4g}" for peer in peers)]
        cells += [f"{times:.2f}", f"{fastest['convnet']:.4g}", f"{times_fastest:.2f}", f"{off:.1e}"]
        refused = "" if off <= DIFFERENCE else f" refused: {farthest} |"
        print(f"| {name} | " + " | ".join(cells) + " |" + refused, flush=True)
        report["rows"].append({"name": name, **rows})

main()
