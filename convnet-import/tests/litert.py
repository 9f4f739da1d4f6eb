"""Writes models/everything.tflite and models/pieces.tflite, small networks of every operator that is read, and what
LiteRT computes of them.

    pip install ai-edge-litert==2.3.0 tflite==2.18.0 flatbuffers==25.12.19 safetensors
    python convnet-import/tests/litert.py
"""

import pathlib

import flatbuffers
import numpy as np
import tflite as t
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from safetensors.numpy import save_file

random = np.random.default_rng(15)
KINDS = {np.dtype(np.float32): t.TensorType.FLOAT32, np.dtype(np.float16): t.TensorType.FLOAT16, np.dtype(np.int32): t.TensorType.INT32}


class Model:
    """A model, operator by operator."""

    def __init__(self):
        self.b = flatbuffers.Builder(1024)
        self.tensors, self.buffers, self.codes, self.operators = [], [None], [], []
        self.shapes = {}

    def tensor(self, name, shape, dtype=np.float32, data=None, sparsity=None):
        b = self.b
        self.shapes[len(self.tensors)] = list(shape)
        place = 0
        if data is not None:
            place = len(self.buffers)
            self.buffers.append(b.CreateNumpyVector(np.frombuffer(np.ascontiguousarray(data).tobytes(), np.uint8)))
        text, sizes = b.CreateString(name), b.CreateNumpyVector(np.array(shape, np.int32))
        t.TensorStart(b)
        t.TensorAddName(b, text)
        t.TensorAddShape(b, sizes)
        t.TensorAddType(b, KINDS[np.dtype(dtype)])
        t.TensorAddBuffer(b, place)
        if sparsity is not None:
            t.TensorAddSparsity(b, sparsity)
        self.tensors.append(t.TensorEnd(b))
        return len(self.tensors) - 1

    def constant(self, name, data):
        return self.tensor(name, data.shape, data.dtype, data)

    def sparse(self, name, values, block):
        """A matrix [K, 1, 1, D] of which only those pieces of `block` slices are stored that are not all zeros."""
        b, (k, _, _, depth) = self.b, values.shape
        pieces = values.reshape(k, depth // block, block)
        kept = [np.flatnonzero(row.any(axis=1)) for row in pieces]
        stored = np.concatenate([row[at].ravel() for row, at in zip(pieces, kept)])

        def index(kind, numbers, dtype):
            values = b.CreateNumpyVector(np.array(numbers, dtype))
            getattr(t, f"{kind}Start")(b)
            getattr(t, f"{kind}AddValues")(b, values)
            return getattr(t, f"{kind}End")(b)

        ends = index("Int32Vector", np.cumsum([0, *map(len, kept)]), np.int32)
        these = index("Uint8Vector", np.concatenate(kept), np.uint8)
        levels = []
        for size in (k, 1, 1, None, block):
            t.DimensionMetadataStart(b)
            if size is None:
                t.DimensionMetadataAddFormat(b, t.DimensionType.SPARSE_CSR)
                t.DimensionMetadataAddArraySegmentsType(b, t.SparseIndexVector.Int32Vector)
                t.DimensionMetadataAddArraySegments(b, ends)
                t.DimensionMetadataAddArrayIndicesType(b, t.SparseIndexVector.Uint8Vector)
                t.DimensionMetadataAddArrayIndices(b, these)
            else:
                t.DimensionMetadataAddDenseSize(b, size)
            levels.append(t.DimensionMetadataEnd(b))
        order, blocks = b.CreateNumpyVector(np.arange(5, dtype=np.int32)), b.CreateNumpyVector(np.array([3], np.int32))
        t.SparsityParametersStartDimMetadataVector(b, 5)
        for level in reversed(levels):
            b.PrependUOffsetTRelative(level)
        levels = b.EndVector()
        t.SparsityParametersStart(b)
        t.SparsityParametersAddTraversalOrder(b, order)
        t.SparsityParametersAddBlockMap(b, blocks)
        t.SparsityParametersAddDimMetadata(b, levels)
        sparsity = t.SparsityParametersEnd(b)
        x = self.tensor(name, values.shape, stored.dtype, stored, sparsity)
        return self.operator("DENSIFY", [x], f"{name}_dense", values.shape, dtype=stored.dtype)

    def weights(self, name, *shape, half=False):
        fan_in = max(1, int(np.prod(shape[1:])))
        values = random.normal(0, fan_in**-0.5, shape).astype(np.float32)
        if not half:
            return self.constant(name, values)
        stored = self.constant(name, values.astype(np.float16))
        return self.operator("DEQUANTIZE", [stored], f"{name}_dequantize", shape)

    def operator(self, kind, inputs, name, shape, options=None, dtype=np.float32, **fields):
        """What it writes: of several shapes, a tensor of each."""
        b = self.b
        shapes = shape if isinstance(shape[0], list) else [shape]
        several = len(shapes) > 1
        written = [self.tensor(f"{name}{at}" if several else name, it, dtype) for at, it in enumerate(shapes)]
        code = getattr(t.BuiltinOperator, kind)
        if code not in self.codes:
            self.codes.append(code)
        made = None
        if options:
            lists = {key: b.CreateNumpyVector(np.array(it, np.int32)) for key, it in fields.items() if isinstance(it, list)}
            getattr(t, f"{options}Start")(b)
            for key, value in {**fields, **lists}.items():
                getattr(t, f"{options}Add{key}")(b, value)
            made = getattr(t, f"{options}End")(b)
        ins, outs = b.CreateNumpyVector(np.array(inputs, np.int32)), b.CreateNumpyVector(np.array(written, np.int32))
        t.OperatorStart(b)
        t.OperatorAddOpcodeIndex(b, self.codes.index(code))
        t.OperatorAddInputs(b, ins)
        t.OperatorAddOutputs(b, outs)
        if made is not None:
            t.OperatorAddBuiltinOptionsType(b, getattr(t.BuiltinOptions, options))
            t.OperatorAddBuiltinOptions(b, made)
        self.operators.append(t.OperatorEnd(b))
        return written if several else written[0]

    def bytes(self, image, output):
        b = self.b

        def vector(start, all):
            start(b, len(all))
            for it in reversed(all):
                b.PrependUOffsetTRelative(it)
            return b.EndVector()

        buffers, codes = [], []
        for data in self.buffers:
            t.BufferStart(b)
            if data is not None:
                t.BufferAddData(b, data)
            buffers.append(t.BufferEnd(b))
        for code in self.codes:
            t.OperatorCodeStart(b)
            t.OperatorCodeAddDeprecatedBuiltinCode(b, min(code, 127))
            t.OperatorCodeAddBuiltinCode(b, code)
            t.OperatorCodeAddVersion(b, 1)
            codes.append(t.OperatorCodeEnd(b))
        tensors = vector(t.SubGraphStartTensorsVector, self.tensors)
        operators = vector(t.SubGraphStartOperatorsVector, self.operators)
        ins, outs = b.CreateNumpyVector(np.array([image], np.int32)), b.CreateNumpyVector(np.array([output], np.int32))
        t.SubGraphStart(b)
        t.SubGraphAddTensors(b, tensors)
        t.SubGraphAddInputs(b, ins)
        t.SubGraphAddOutputs(b, outs)
        t.SubGraphAddOperators(b, operators)
        graphs = vector(t.ModelStartSubgraphsVector, [t.SubGraphEnd(b)])
        codes, buffers = vector(t.ModelStartOperatorCodesVector, codes), vector(t.ModelStartBuffersVector, buffers)
        t.ModelStart(b)
        t.ModelAddVersion(b, 3)
        t.ModelAddOperatorCodes(b, codes)
        t.ModelAddSubgraphs(b, graphs)
        t.ModelAddBuffers(b, buffers)
        b.Finish(t.ModelEnd(b), b"TFL3")
        return bytes(b.Output())


SAME, VALID = t.Padding.SAME, t.Padding.VALID
A = t.ActivationFunctionType


def everything():
    m = Model()
    image = m.tensor("image", [1, 12, 12, 4])

    def slide(stride, padding, fused=A.NONE, **more):
        return dict(Padding=padding, StrideW=stride, StrideH=stride, FusedActivationFunction=fused, **more)

    def conv(name, x, k, f, y, window, depth, half=False, bias=True):
        inputs = [x, m.weights(f"{name}/Conv2D", k, f, f, depth, half=half)]
        inputs += [m.weights(f"{name}/bias", k) if bias else m.constant(f"{name}/none", np.zeros(k, np.float32))]
        return m.operator("CONV_2D", inputs, f"{name}/out", y, "Conv2DOptions", **window, DilationWFactor=1, DilationHFactor=1)

    x = conv("net/stem", image, 8, 3, [1, 6, 6, 8], slide(2, SAME, A.RELU6), 4, half=True)
    inputs = [x, m.weights("net/apart/depthwise", 1, 3, 3, 8), m.weights("net/apart/bias", 8)]
    inside = m.operator(
        "DEPTHWISE_CONV_2D", inputs, "apart", [1, 6, 6, 8], "DepthwiseConv2DOptions",
        **slide(1, SAME, A.RELU), DepthMultiplier=1, DilationWFactor=2, DilationHFactor=2,
    )
    inside = conv("net/together", inside, 8, 1, [1, 6, 6, 8], slide(1, VALID), 8, bias=False)
    # A constant behind a conv, which takes it.
    inside = m.operator("MUL", [inside, m.weights("net/together/factor", 8)], "scaled", [1, 6, 6, 8], "MulOptions", FusedActivationFunction=A.NONE)
    inside = m.operator("SUB", [inside, m.weights("net/together/shift", 8)], "shifted", [1, 6, 6, 8], "SubOptions", FusedActivationFunction=A.NONE)
    x = m.operator("ADD", [inside, x], "sum", [1, 6, 6, 8], "AddOptions", FusedActivationFunction=A.RELU_N1_TO_1)
    x = m.operator("HARD_SWISH", [x], "swish", [1, 6, 6, 8])
    # Squeeze and excitation, by a mean that keeps its axes.
    axes = m.constant("axes", np.array([1, 2], np.int32))
    gate = m.operator("MEAN", [x, axes], "mean", [1, 1, 1, 8], "ReducerOptions", KeepDims=True)
    gate = m.operator("FULLY_CONNECTED", [gate, m.weights("net/squeeze/MatMul", 4, 8), m.weights("net/squeeze/bias", 4)], "squeezed", [1, 1, 1, 4], "FullyConnectedOptions", FusedActivationFunction=A.RELU, KeepNumDims=True)
    gate = conv("net/excite", gate, 8, 1, [1, 1, 1, 8], slide(1, VALID), 4)
    gate = m.operator("LOGISTIC", [gate], "gate", [1, 1, 1, 8])
    x = m.operator("MUL", [x, gate], "gated", [1, 6, 6, 8], "MulOptions", FusedActivationFunction=A.NONE)
    pooled = m.operator("MAX_POOL_2D", [x], "max", [1, 6, 6, 8], "Pool2DOptions", **slide(1, SAME), FilterWidth=3, FilterHeight=3)
    mean = m.operator("AVERAGE_POOL_2D", [x], "average", [1, 6, 6, 8], "Pool2DOptions", **slide(1, SAME), FilterWidth=3, FilterHeight=3)
    mean = conv("net/way", mean, 4, 1, [1, 6, 6, 4], slide(1, VALID), 8)
    mean = m.operator("TANH", [mean], "tanh", [1, 6, 6, 4])
    x = m.operator("CONCATENATION", [pooled, mean], "ways", [1, 6, 6, 12], "ConcatenationOptions", Axis=3, FusedActivationFunction=A.NONE)
    pads = m.constant("pads", np.array([[0, 0], [1, 0], [2, 1], [0, 0]], np.int32))
    x = m.operator("PAD", [x, pads], "padded", [1, 7, 9, 12])
    x = conv("net/down", x, 6, 3, [1, 3, 4, 6], slide(2, VALID), 12)
    x = m.operator("LEAKY_RELU", [x], "leaky", [1, 3, 4, 6], "LeakyReluOptions", Alpha=0.25)
    size = m.constant("size", np.array([6, 8], np.int32))
    x = m.operator("RESIZE_NEAREST_NEIGHBOR", [x, size], "repeated", [1, 6, 8, 6], "ResizeNearestNeighborOptions", HalfPixelCenters=True)
    shape = m.constant("shape", np.array([1, 12, 16, 5], np.int32))
    inputs = [shape, m.weights("net/up/conv2d_transpose", 5, 3, 3, 6), x, m.weights("net/up/bias", 5)]
    x = m.operator("TRANSPOSE_CONV", inputs, "up", [1, 12, 16, 5], "TransposeConvOptions", Padding=SAME, StrideW=2, StrideH=2)
    x = m.operator("ELU", [x], "elu", [1, 12, 16, 5])
    x = conv("net/last", x, 3, 3, [1, 4, 6, 3], slide(3, SAME), 5)
    x = m.operator("GELU", [x], "gelu", [1, 4, 6, 3], "GeluOptions", Approximate=False)
    x = m.operator("RESHAPE", [x], "flat", [1, 72], "ReshapeOptions", NewShape=[1, 72])
    x = m.operator("FULLY_CONNECTED", [x, m.weights("net/scores/MatMul", 10, 72, half=True), -1], "scores", [1, 10], "FullyConnectedOptions", FusedActivationFunction=A.NONE)
    x = m.operator("SOFTMAX", [x], "probabilities", [1, 10], "SoftmaxOptions", Beta=1.0)
    return m.bytes(image, x)


def pieces():
    """What takes volumes apart, and the rest of what computes."""
    m = Model()
    image = m.tensor("image", [1, 8, 8, 4])

    def numbers(name, *values):
        return m.constant(name, np.array(values, np.int32))

    x = m.operator("SPACE_TO_DEPTH", [image], "deep", [1, 4, 4, 16], "SpaceToDepthOptions", BlockSize=2)
    a, b = m.operator("SPLIT", [numbers("axis", 3), x], "halves", [[1, 4, 4, 8], [1, 4, 4, 8]], "SplitOptions", NumSplits=2)
    a = m.operator("PRELU", [a, m.weights("net/slopes", 1, 1, 8)], "bent", [1, 4, 4, 8])
    b = m.operator("RELU_0_TO_1", [b], "cut", [1, 4, 4, 8])
    # Behind the last one is what was there before.
    x = m.operator("CONCATENATION", [b, a], "turned", [1, 4, 4, 16], "ConcatenationOptions", Axis=3, FusedActivationFunction=A.NONE)
    sizes = [4, 10, 2]
    parts = [[1, 4, 4, size] for size in sizes]
    _, x, _ = m.operator("SPLIT_V", [x, numbers("sizes", *sizes), numbers("axis_v", -1)], "parts", parts, "SplitVOptions", NumSplits=3)
    x = m.operator("SLICE", [x, numbers("from", 0, 0, 0, 1), numbers("many", 1, -1, 4, 8)], "sliced", [1, 4, 4, 8])
    # Every second piece of its filters is zeros, and is not stored.
    filters = random.normal(0, 1, [8, 2, 4]) * (np.indices([8, 2]).sum(0) % 2)[..., None]
    filters = m.sparse("net/sparse/filters", filters.reshape(8, 1, 1, 8).astype(np.float16), 4)
    inputs = [x, m.operator("DEQUANTIZE", [filters], "filters", [8, 1, 1, 8]), m.weights("net/sparse/bias", 8)]
    x = m.operator("CONV_2D", inputs, "sparse", [1, 4, 4, 8], "Conv2DOptions", Padding=VALID, StrideW=1, StrideH=1, DilationWFactor=1, DilationHFactor=1, FusedActivationFunction=A.NONE)
    x = m.operator("DEPTH_TO_SPACE", [x], "wide", [1, 8, 8, 2], "DepthToSpaceOptions", BlockSize=2)
    x = m.operator("LOCAL_RESPONSE_NORMALIZATION", [x], "local", [1, 8, 8, 2], "LocalResponseNormalizationOptions", Radius=1, Bias=1.0, Alpha=0.5, Beta=0.75)
    # The image by itself, without its first row and its last columns.
    places = [numbers(name, *at) for name, at in [("begin", (0, 1, 0, 2)), ("end", (1, 8, -2, 4)), ("steps", (1, 1, 1, 1))]]
    y = m.operator("STRIDED_SLICE", [image, *places], "strided", [1, 7, 6, 2], "StridedSliceOptions", BeginMask=1, EndMask=10)
    size = numbers("size", 14, 12)
    y = m.operator("RESIZE_BILINEAR", [y, size], "smooth", [1, 14, 12, 2], "ResizeBilinearOptions", HalfPixelCenters=True)
    places = [numbers(f"{name}_v", *at) for name, at in [("begin", (0, 3, 2, 0)), ("end", (1, 11, 10, 2)), ("steps", (1, 1, 1, 1))]]
    y = m.operator("STRIDED_SLICE", [y, *places], "middle", [1, 8, 8, 2], "StridedSliceOptions")
    x = m.operator("CONCATENATION", [x, y], "ways", [1, 8, 8, 4], "ConcatenationOptions", Axis=3, FusedActivationFunction=A.NONE)
    by = m.constant("net/by", np.array([2, 3, 0.5, 0.25], np.float32))
    x = m.operator("DIV", [x, by], "quotient", [1, 8, 8, 4], "DivOptions", FusedActivationFunction=A.NONE)
    x = m.operator("REDUCE_MAX", [x, numbers("axes", 1, 2)], "largest", [1, 4], "ReducerOptions", KeepDims=False)
    x = m.operator("LOG_SOFTMAX", [x], "scores", [1, 4])
    return m.bytes(image, x)


def run(model, image):
    interpreter = Interpreter(model_content=model, experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], image)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


if __name__ == "__main__":
    folder = pathlib.Path(__file__).parent / "models"
    for name, size, model in [("everything", 12, everything), ("pieces", 8, pieces)]:
        model = model()
        images = random.standard_normal([2, size, size, 4]).astype(np.float32)
        scores = np.concatenate([run(model, image[None]) for image in images])
        (folder / f"{name}.tflite").write_bytes(model)
        save_file({"images": images, "scores": scores}, folder / f"{name}.expected.safetensors")
        print(len(model), scores)
