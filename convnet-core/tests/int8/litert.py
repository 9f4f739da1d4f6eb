"""Writes litert.json: small random quantised models of one operation, and what LiteRT computes of them; with
`--networks`, networks.json: twenty random networks.

    python3 -m venv venv && venv/bin/pip install ai-edge-litert==2.3.0 tflite==2.18.0 flatbuffers==25.12.19
    venv/bin/python convnet-core/tests/int8/litert.py > convnet-core/tests/int8/litert.json
    venv/bin/python convnet-core/tests/int8/litert.py --networks > convnet-core/tests/int8/networks.json

The kernels are TensorFlow Lite's reference kernels (`BUILTIN_REF`). Only tables of `sigmoid` and `tanh` are those of
its usual kernels, without delegates, which read a table of 256 values made in `f32`.
"""

import json
import sys

import flatbuffers
import numpy as np
import tflite as t
from ai_edge_litert.interpreter import Interpreter, OpResolverType

random = np.random.default_rng(231)


def tensor(shape, scale, zero, values=None, dtype=np.int8):
    """A tensor of a model; a constant if it has values."""
    return {"shape": list(shape), "scale": np.atleast_1d(np.float32(scale)), "zero": zero, "values": values, "dtype": dtype, "drawn": scale}


def offsets(builder, start, all):
    start(builder, len(all))
    for it in reversed(all):
        builder.PrependUOffsetTRelative(it)
    return builder.EndVector()


def quantization(b, it):
    scale, zero = b.CreateNumpyVector(it["scale"]), b.CreateNumpyVector(np.full(len(it["scale"]), it["zero"], np.int64))
    t.QuantizationParametersStart(b)
    t.QuantizationParametersAddScale(b, scale)
    t.QuantizationParametersAddZeroPoint(b, zero)
    t.QuantizationParametersAddQuantizedDimension(b, it.get("axis", 0))
    return t.QuantizationParametersEnd(b)


def model(tensors, inputs, operator, version, options):
    """The bytes of a model of one operation, whose output is the last tensor; options: (type, writer)."""
    return network(tensors, [(inputs, len(tensors) - 1, operator, version, options)])


def network(tensors, operations):
    """The bytes of a model whose output is the last tensor: (inputs, output, operator, version, options) each."""
    b = flatbuffers.Builder(1024)
    datas = [b.CreateNumpyVector(np.frombuffer(it["values"].tobytes(), np.uint8)) if it["values"] is not None else None for it in tensors]
    buffers = []
    for data in [None] + datas:
        t.BufferStart(b)
        if data is not None:
            t.BufferAddData(b, data)
        buffers.append(t.BufferEnd(b))
    made = []
    for at, it in enumerate(tensors):
        name, shape = b.CreateString(f"t{at}"), b.CreateNumpyVector(np.array(it["shape"], np.int32))
        quantized = quantization(b, it) if it["scale"][0] > 0 else None
        t.TensorStart(b)
        t.TensorAddName(b, name)
        t.TensorAddShape(b, shape)
        t.TensorAddType(b, {np.int8: t.TensorType.INT8, np.int32: t.TensorType.INT32}[it["dtype"]])
        t.TensorAddBuffer(b, at + 1)
        if quantized is not None:
            t.TensorAddQuantization(b, quantized)
        made.append(t.TensorEnd(b))
    operators = []
    for at, (inputs, output, _, _, options) in enumerate(operations):
        kind, write = options if options else (0, None)
        options = write(b) if write else None
        ins = b.CreateNumpyVector(np.array(inputs, np.int32))
        outs = b.CreateNumpyVector(np.array([output], np.int32))
        t.OperatorStart(b)
        t.OperatorAddOpcodeIndex(b, at)
        t.OperatorAddInputs(b, ins)
        t.OperatorAddOutputs(b, outs)
        if write:
            t.OperatorAddBuiltinOptionsType(b, kind)
            t.OperatorAddBuiltinOptions(b, options)
        operators.append(t.OperatorEnd(b))
    operators = offsets(b, t.SubGraphStartOperatorsVector, operators)
    made_by = [output for _, output, _, _, _ in operations]
    fed = [i for inputs, _, _, _, _ in operations for i in inputs if tensors[i]["values"] is None and i not in made_by]
    fed = b.CreateNumpyVector(np.array(list(dict.fromkeys(fed)), np.int32))
    outs = b.CreateNumpyVector(np.array([len(tensors) - 1], np.int32))
    made = offsets(b, t.SubGraphStartTensorsVector, made)
    t.SubGraphStart(b)
    t.SubGraphAddTensors(b, made)
    t.SubGraphAddInputs(b, fed)
    t.SubGraphAddOutputs(b, outs)
    t.SubGraphAddOperators(b, operators)
    graphs = offsets(b, t.ModelStartSubgraphsVector, [t.SubGraphEnd(b)])
    codes = []
    for _, _, operator, version, _ in operations:
        t.OperatorCodeStart(b)
        t.OperatorCodeAddDeprecatedBuiltinCode(b, min(operator, 127))
        t.OperatorCodeAddBuiltinCode(b, operator)
        t.OperatorCodeAddVersion(b, version)
        codes.append(t.OperatorCodeEnd(b))
    codes = offsets(b, t.ModelStartOperatorCodesVector, codes)
    buffers = offsets(b, t.ModelStartBuffersVector, buffers)
    t.ModelStart(b)
    t.ModelAddVersion(b, 3)
    t.ModelAddOperatorCodes(b, codes)
    t.ModelAddSubgraphs(b, graphs)
    t.ModelAddBuffers(b, buffers)
    b.Finish(t.ModelEnd(b), b"TFL3")
    return bytes(b.Output())


def run(model, *images, resolver=OpResolverType.BUILTIN_REF):
    interpreter = Interpreter(model_content=model, experimental_op_resolver_type=resolver)
    interpreter.allocate_tensors()
    for place, image in zip(interpreter.get_input_details(), images):
        interpreter.set_tensor(place["index"], image)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


ACTIVATIONS = {"none": t.ActivationFunctionType.NONE, "relu": t.ActivationFunctionType.RELU, "relu6": t.ActivationFunctionType.RELU6}


def window(start, end, prefix, padding, stride, activation, dilation=None, size=None):
    def write(b):
        add = lambda name, value: getattr(t, f"{prefix}Add{name}")(b, value)
        start(b)
        add("Padding", {"same": t.Padding.SAME, "valid": t.Padding.VALID}[padding])
        add("StrideH", stride[0])
        add("StrideW", stride[1])
        if size:
            add("FilterHeight", size[0])
            add("FilterWidth", size[1])
        if dilation:
            add("DilationHFactor", dilation[0])
            add("DilationWFactor", dilation[1])
        if prefix == "DepthwiseConv2DOptions":
            add("DepthMultiplier", 1)
        add("FusedActivationFunction", ACTIVATIONS[activation])
        return end(b)

    return write


def extent(x, f, s, padding, dilation=1):
    """The size of the output, and how many zeros stand before, as TensorFlow has it."""
    reach = (f - 1) * dilation + 1
    if padding == "valid":
        return (x - reach) // s + 1, 0
    y = -(-x // s)
    return y, max((y - 1) * s + reach - x, 0) // 2


def values(shape, low=-128, high=128, dtype=np.int8):
    return random.integers(low, high, shape).astype(dtype)


def side(it, values):
    return {"shape": list(values.shape[1:]), "scale": float(it["scale"][0]), "zero": it["zero"], "values": values.flatten().tolist()}


CASES = []


def case(op, x, y, **more):
    CASES.append({"op": op, "x": x, "y": y, **more})


def filters(op, x, f, k, stride, padding, activation, groups=1, dilation=(1, 1), per_filter=True):
    h, w, d = x
    scale, zero = random.uniform(0.01, 0.1), int(random.integers(-128, 128))
    image = tensor([1, h, w, d], scale, zero)
    tensors, operation, more = with_filters(op, image, f, k, stride, padding, activation, groups, dilation, per_filter)
    v = values([1, h, w, d])
    result = run(model([image, *tensors], [0, 1, 2], *operation), v).reshape(1, *more.pop("y"))
    case(op, side(image, v), side(tensors[-1], result), **more)


def with_filters(op, image, f, k, stride, padding, activation, groups=1, dilation=(1, 1), per_filter=True):
    """The tensors behind the image, the operation, and what a case tells of it."""
    (_, h, w, d), scale = image["shape"], image["drawn"]
    depthwise = op == "depthwise"
    shape = [1, *f, d] if depthwise else [k, *f, d // groups]
    weights = values(shape, -127)
    scales = random.uniform(0.002, 0.02, k if per_filter else 1)
    bank = tensor(shape, scales, 0, weights) | {"axis": 3 if depthwise else 0}
    bias = values([k], -4000, 4000, np.int32)
    biases = tensor([k], image["scale"] * bank["scale"], 0, bias, np.int32)
    (ho, top), (wo, left) = (extent(*axis, padding, dilation[i]) for i, axis in enumerate(zip((h, w), f, stride)))
    spread = float(scale * scales.mean() * 74 * 73 * np.sqrt(np.prod(shape[1:] if not depthwise else f)))
    out = tensor([1, ho, wo, k], spread * 4 / 255, int(random.integers(-128, 128)))
    prefix, code, version = ("DepthwiseConv2DOptions", t.BuiltinOperator.DEPTHWISE_CONV_2D, 3) if depthwise else ("Conv2DOptions", t.BuiltinOperator.CONV_2D, 3)
    if op == "fc":
        bank["shape"], out["shape"] = [k, h * w * d], [1, k]

        def write(b):
            t.FullyConnectedOptionsStart(b)
            t.FullyConnectedOptionsAddFusedActivationFunction(b, ACTIVATIONS[activation])
            return t.FullyConnectedOptionsEnd(b)

        code, version, options = t.BuiltinOperator.FULLY_CONNECTED, 12 if per_filter else 4, (t.BuiltinOptions.FullyConnectedOptions, write)
    else:
        kind = getattr(t.BuiltinOptions, prefix)
        options = (kind, window(getattr(t, prefix + "Start"), getattr(t, prefix + "End"), prefix, padding, stride, activation, dilation))
    more = {"filter": list(f), "stride": list(stride), "dilation": list(dilation), "before": [top, left], "groups": groups,
            "filters": weights.flatten().tolist(), "scales": [float(s) for s in bank["scale"]], "bias": bias.tolist(), "clamp": activation}
    return [bank, biases, out], (code, version, options), more | {"y": (ho, wo, k)}


def pool(op, x, f, stride, padding, activation):
    h, w, d = x
    image = tensor([1, h, w, d], 0.05, int(random.integers(-128, 64)))
    (ho, top), (wo, left) = (extent(*axis, padding) for axis in zip((h, w), f, stride))
    out = tensor([1, ho, wo, d], 0.05, image["zero"])
    code = {"max_pool": t.BuiltinOperator.MAX_POOL_2D, "avg_pool": t.BuiltinOperator.AVERAGE_POOL_2D}[op]
    write = window(t.Pool2DOptionsStart, t.Pool2DOptionsEnd, "Pool2DOptions", padding, stride, activation, size=f)
    v = values([1, h, w, d])
    result = run(model([image, out], [0], code, 2, (t.BuiltinOptions.Pool2DOptions, write)), v)
    case(op, side(image, v), side(out, result), filter=list(f), stride=list(stride), before=[top, left], clamp=activation)


def fused(prefix, activation):
    """The options of an operation that has none but what is fused with it."""

    def write(builder):
        of = lambda name: getattr(t, prefix + name)
        of("Start")(builder)
        of("AddFusedActivationFunction")(builder, ACTIVATIONS[activation])
        return of("End")(builder)

    return getattr(t.BuiltinOptions, prefix), write


def of_two(op, shape, scales, activation, first=None):
    """The sum or the product of two volumes, of which the first may be a depth column."""
    shapes = first or shape, shape, shape
    a, b, out = (tensor([1, *it], s, int(random.integers(-128, 128))) for it, s in zip(shapes, scales))
    u, v = values([1, *shapes[0]]), values([1, *shape])
    code, prefix = {"add": (t.BuiltinOperator.ADD, "AddOptions"), "mul": (t.BuiltinOperator.MUL, "MulOptions")}[op]
    result = run(model([a, b, out], [0, 1], code, 2, fused(prefix, activation)), u, v)
    case(op, side(a, u), side(out, result), other=side(b, v), clamp=activation)


def everything(op, code, version, scale, to, zero, options=None, resolver=OpResolverType.BUILTIN_REF, **more):
    """Each of the 256 values once."""
    image, out = tensor([1, 1, 1, 256], scale, int(random.integers(-128, 128))), tensor([1, 1, 1, 256], to, zero)
    v = np.arange(-128, 128).astype(np.int8).reshape(1, 1, 1, 256)
    result = run(model([image, out], [0], code, version, options), v, resolver=resolver)
    case(op, side(image, v), side(out, result), **more)


def mean(x, scale, to):
    """Of all pixels."""
    h, w, d = x
    # Means of random bytes are near zero.
    image, out = (tensor(shape, s, int(random.integers(-9, 9))) for shape, s in (([1, *x], scale), ([1, 1, 1, d], to)))
    axes = tensor([2], 0, 0, np.array([1, 2], np.int32), np.int32)

    def write(b):
        t.ReducerOptionsStart(b)
        t.ReducerOptionsAddKeepDims(b, True)
        return t.ReducerOptionsEnd(b)

    v = values([1, *x])
    options = t.BuiltinOptions.ReducerOptions, write
    result = run(model([image, axes, out], [0, 1], t.BuiltinOperator.MEAN, 2, options), v)
    case("mean", side(image, v), side(out, result), filter=[h, w], stride=[1, 1], before=[0, 0])


def softmax(k, scale):
    image, out = tensor([1, k], scale, 3), tensor([1, k], 1 / 256, -128)

    def write(b):
        t.SoftmaxOptionsStart(b)
        t.SoftmaxOptionsAddBeta(b, 1.0)
        return t.SoftmaxOptionsEnd(b)

    v = values([1, k])
    result = run(model([image, out], [0], t.BuiltinOperator.SOFTMAX, 2, (t.BuiltinOptions.SoftmaxOptions, write)), v)
    case("softmax", side(image, v), side(out, result))


def slope(b):
    t.LeakyReluOptionsStart(b)
    t.LeakyReluOptionsAddAlpha(b, 0.1)
    return t.LeakyReluOptionsEnd(b)


class Network:
    """A random network, layer by layer: its tensors and operations, and what the test is told of each."""

    def __init__(self):
        shape = [1, *(int(side) for side in random.integers(5, 10, 2)), int(random.integers(1, 7))]
        self.image = tensor(shape, random.uniform(0.01, 0.1), int(random.integers(-128, 128)))
        self.tensors, self.operations, self.layers = [self.image], [], []
        # The volumes: at which place their tensors are.
        self.volumes = [0]

    def layer(self, op, sources, tensors, operation, more):
        """With its own tensors, the last of which it writes."""
        from_tensors = [self.volumes[source] for source in sources]
        first = len(self.tensors)
        self.tensors += tensors
        constants = list(range(first, len(self.tensors) - 1))
        self.operations.append((from_tensors + constants, len(self.tensors) - 1, *operation))
        x, out = self.tensors[from_tensors[0]], tensors[-1]
        tell = lambda it, shape: {"shape": [int(side) for side in shape], "scale": float(it["scale"][0]), "zero": int(it["zero"])}
        told = {"op": op, "from": sources, "x": tell(x, x["shape"][1:]), "y": tell(out, more.pop("y", out["shape"][1:]))}
        if len(sources) > 1:
            other = self.tensors[from_tensors[1]]
            told["other"] = tell(other, other["shape"][1:])
        self.layers.append(told | more)
        self.volumes.append(len(self.tensors) - 1)

    def last(self):
        return self.tensors[self.volumes[-1]]

    def filters(self, op, f, k, stride, padding, activation, groups=1):
        tensors, operation, more = with_filters(op, self.last(), f, k, stride, padding, activation, groups)
        self.layer(op, [len(self.volumes) - 1], tensors, operation, more)

    def pool(self, op, f, stride, activation):
        x = self.last()
        (ho, top), (wo, left) = (extent(*axis, "same") for axis in zip(x["shape"][1:3], f, stride))
        out = tensor([1, ho, wo, x["shape"][3]], float(x["scale"][0]), x["zero"])
        code = {"max_pool": t.BuiltinOperator.MAX_POOL_2D, "avg_pool": t.BuiltinOperator.AVERAGE_POOL_2D}[op]
        write = window(t.Pool2DOptionsStart, t.Pool2DOptionsEnd, "Pool2DOptions", "same", stride, activation, size=f)
        more = {"filter": list(f), "stride": list(stride), "before": [top, left], "clamp": activation}
        self.layer(op, [len(self.volumes) - 1], [out], (code, 2, (t.BuiltinOptions.Pool2DOptions, write)), more)

    def residual(self, activation):
        """A conv, and what it read added."""
        x, before = self.last(), len(self.volumes) - 1
        self.filters("conv", (3, 3), x["shape"][3], (1, 1), "same", "none")
        scale = max(float(it["scale"][0]) for it in (x, self.last())) * 1.3
        out = tensor(x["shape"], scale, int(random.integers(-128, 128)))
        operation = t.BuiltinOperator.ADD, 2, fused("AddOptions", activation)
        self.layer("add", [before + 1, before], [out], operation, {"clamp": activation})

    def told(self):
        v = values(self.image["shape"])
        result = run(network(self.tensors, self.operations), v)
        return {"x": v.flatten().tolist(), "layers": self.layers, "y": result.flatten().tolist()}


def random_network():
    net = Network()
    pick = lambda *all: all[int(random.integers(len(all)))]
    for _ in range(int(random.integers(3, 7))):
        clamp, depth = pick("none", "relu", "relu6"), net.last()["shape"][3]
        kind = pick("conv", "conv", "depthwise", "pool", "residual")
        f, stride = (int(random.integers(1, 6)), int(random.integers(1, 4))), (pick(1, 1, 2), pick(1, 1, 2))
        if kind == "conv":
            groups = pick(1, 1, 2) if depth % 2 == 0 else 1
            net.filters("conv", f, groups * int(random.integers(1, 13)), stride, "same", clamp, groups)
        elif kind == "depthwise":
            net.filters("depthwise", f, depth, (stride[0],) * 2, "same", clamp)
        elif kind == "pool":
            net.pool(pick("max_pool", "avg_pool"), f, stride, pick("none", "relu"))
        else:
            net.residual(clamp)
    _, h, w, _ = net.last()["shape"]
    net.filters("fc", (h, w), int(random.integers(2, 20)), (1, 1), "valid", "none")
    return net.told()


if "--networks" in sys.argv:
    print("[" + ",\n".join(json.dumps(random_network(), separators=(",", ":")) for _ in range(20)) + "]")
    sys.exit()

filters("conv", (5, 6, 3), (3, 3), 4, (1, 1), "same", "none")
filters("conv", (7, 5, 2), (3, 2), 3, (2, 1), "same", "relu")
filters("conv", (6, 6, 4), (5, 5), 5, (1, 1), "valid", "relu6")
filters("conv", (4, 4, 17), (1, 1), 6, (1, 1), "valid", "none")
filters("conv", (8, 7, 3), (3, 3), 2, (1, 1), "same", "none", dilation=(2, 2))
filters("conv", (5, 5, 6), (3, 3), 4, (2, 2), "same", "relu", groups=2)
filters("conv", (9, 9, 1), (4, 4), 3, (3, 3), "valid", "none", per_filter=False)
filters("conv", (3, 3, 33), (3, 3), 2, (1, 1), "same", "none")
filters("depthwise", (6, 5, 8), (3, 3), 8, (1, 1), "same", "relu6")
filters("depthwise", (7, 7, 19), (3, 3), 19, (2, 2), "same", "none")
filters("depthwise", (6, 6, 3), (5, 3), 3, (1, 1), "valid", "relu")
filters("fc", (4, 3, 5), (4, 3), 7, (1, 1), "valid", "none", per_filter=False)
filters("fc", (1, 1, 64), (1, 1), 10, (1, 1), "valid", "relu")
filters("fc", (2, 2, 9), (2, 2), 3, (1, 1), "valid", "relu6")
pool("max_pool", (6, 5, 3), (2, 2), (2, 2), "valid", "none")
pool("max_pool", (5, 5, 4), (3, 3), (2, 2), "same", "relu")
pool("avg_pool", (6, 6, 5), (2, 2), (2, 2), "valid", "none")
pool("avg_pool", (5, 6, 3), (3, 3), (2, 1), "same", "relu6")
pool("avg_pool", (7, 7, 4), (7, 7), (1, 1), "valid", "none")
of_two("add", (3, 3, 4), (0.05, 0.02, 0.06), "none")
of_two("add", (4, 2, 5), (0.01, 0.09, 0.05), "relu")
of_two("add", (2, 3, 7), (0.05, 0.05, 0.03), "relu6")
for to in (0.04, 0.07, 0.013):
    everything("rescale", t.BuiltinOperator.QUANTIZE, 2, 0.04, to, int(random.integers(-128, 128)))
for scale, to in ((0.05, 0.05), (0.04, 0.031)):
    everything("leaky_relu", t.BuiltinOperator.LEAKY_RELU, 2, scale, to, int(random.integers(-128, 128)), (t.BuiltinOptions.LeakyReluOptions, slope))
for scale, to in ((0.05, 0.04), (0.09, 0.06), (0.013, 0.012)):
    everything("hard_swish", t.BuiltinOperator.HARD_SWISH, 1, scale, to, int(random.integers(-128, 64)))
for scale in (0.05, 0.13, 0.011):
    usual = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    everything("sigmoid", t.BuiltinOperator.LOGISTIC, 2, scale, 1 / 256, -128, resolver=usual)
    everything("tanh", t.BuiltinOperator.TANH, 2, scale, 1 / 128, 0, resolver=usual)
for k, scale in ((10, 0.1), (1000, 0.06), (2, 1.7), (37, 0.004)):
    softmax(k, scale)
of_two("mul", (3, 5, 8), (1 / 256, 0.05, 0.043), "none", first=(1, 1, 8))
of_two("mul", (4, 2, 5), (0.02, 0.09, 0.31), "relu")
of_two("mul", (2, 3, 7), (0.03, 0.05, 0.11), "relu6", first=(1, 1, 7))
mean((7, 7, 24), 0.023, 0.0035)
mean((4, 4, 17), 0.05, 0.05)
mean((3, 5, 40), 0.02, 0.0051)
mean((1, 3, 5), 0.01, 0.03)

print("[" + ",\n".join(json.dumps(case, separators=(",", ":")) for case in CASES) + "]")
