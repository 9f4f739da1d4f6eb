"""Writes litert.json: small random quantised models of one operation, and what LiteRT computes of them.

    python3 -m venv venv && venv/bin/pip install ai-edge-litert==2.3.0 tflite==2.18.0 flatbuffers==25.12.19
    venv/bin/python convnet-core/tests/int8/litert.py > convnet-core/tests/int8/litert.json

The kernels are TensorFlow Lite's reference kernels (`BUILTIN_REF`). Only tables of `sigmoid` and `tanh` are those of
its usual kernels, without delegates, which read a table of 256 values made in `f32`.
"""

import json

import flatbuffers
import numpy as np
import tflite as t
from ai_edge_litert.interpreter import Interpreter, OpResolverType

random = np.random.default_rng(231)


def tensor(shape, scale, zero, values=None, dtype=np.int8):
    """A tensor of a model; a constant if it has values."""
    return {"shape": list(shape), "scale": np.atleast_1d(np.float32(scale)), "zero": zero, "values": values, "dtype": dtype}


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
    last = len(tensors) - 1
    kind, write = options if options else (0, None)
    options = write(b) if write else None
    ins = b.CreateNumpyVector(np.array(inputs, np.int32))
    outs = b.CreateNumpyVector(np.array([last], np.int32))
    t.OperatorStart(b)
    t.OperatorAddOpcodeIndex(b, 0)
    t.OperatorAddInputs(b, ins)
    t.OperatorAddOutputs(b, outs)
    if write:
        t.OperatorAddBuiltinOptionsType(b, kind)
        t.OperatorAddBuiltinOptions(b, options)
    operators = offsets(b, t.SubGraphStartOperatorsVector, [t.OperatorEnd(b)])
    fed = b.CreateNumpyVector(np.array([i for i in inputs if tensors[i]["values"] is None], np.int32))
    made = offsets(b, t.SubGraphStartTensorsVector, made)
    t.SubGraphStart(b)
    t.SubGraphAddTensors(b, made)
    t.SubGraphAddInputs(b, fed)
    t.SubGraphAddOutputs(b, outs)
    t.SubGraphAddOperators(b, operators)
    graphs = offsets(b, t.ModelStartSubgraphsVector, [t.SubGraphEnd(b)])
    t.OperatorCodeStart(b)
    t.OperatorCodeAddDeprecatedBuiltinCode(b, min(operator, 127))
    t.OperatorCodeAddBuiltinCode(b, operator)
    t.OperatorCodeAddVersion(b, version)
    codes = offsets(b, t.ModelStartOperatorCodesVector, [t.OperatorCodeEnd(b)])
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
    v = values([1, h, w, d])
    result = run(model([image, bank, biases, out], [0, 1, 2], code, version, options), v).reshape(1, ho, wo, k)
    case(op, side(image, v), side(out, result), filter=list(f), stride=list(stride), dilation=list(dilation), before=[top, left],
         groups=groups, filters=weights.flatten().tolist(), scales=[float(s) for s in bank["scale"]], bias=bias.tolist(), clamp=activation)


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


def add(shape, scales, activation):
    a, b, out = (tensor([1, *shape], s, int(random.integers(-128, 128))) for s in scales)

    def write(builder):
        t.AddOptionsStart(builder)
        t.AddOptionsAddFusedActivationFunction(builder, ACTIVATIONS[activation])
        return t.AddOptionsEnd(builder)

    u, v = values([1, *shape]), values([1, *shape])
    result = run(model([a, b, out], [0, 1], t.BuiltinOperator.ADD, 2, (t.BuiltinOptions.AddOptions, write)), u, v)
    case("add", side(a, u), side(out, result), other=side(b, v), clamp=activation)


def everything(op, code, version, scale, to, zero, options=None, resolver=OpResolverType.BUILTIN_REF, **more):
    """Each of the 256 values once."""
    image, out = tensor([1, 1, 1, 256], scale, int(random.integers(-128, 128))), tensor([1, 1, 1, 256], to, zero)
    v = np.arange(-128, 128).astype(np.int8).reshape(1, 1, 1, 256)
    result = run(model([image, out], [0], code, version, options), v, resolver=resolver)
    case(op, side(image, v), side(out, result), **more)


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
add((3, 3, 4), (0.05, 0.02, 0.06), "none")
add((4, 2, 5), (0.01, 0.09, 0.05), "relu")
add((2, 3, 7), (0.05, 0.05, 0.03), "relu6")
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

print("[" + ",\n".join(json.dumps(case, separators=(",", ":")) for case in CASES) + "]")
