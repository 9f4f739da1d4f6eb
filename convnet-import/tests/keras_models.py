"""Writes models/chain.keras, chain.h5, graph.keras, graph.h5, packed.h5 and stamps.keras, small networks of every layer that is read, and
what Keras computes of them.

    pip install keras==3.15.1 jax==0.10.2 h5py==3.16.0 safetensors
    python convnet-import/tests/keras_models.py
"""

import os
import pathlib
import zipfile

os.environ["KERAS_BACKEND"] = "jax"
import h5py
import keras
import numpy as np
from keras import layers as l
from safetensors.numpy import save_file

FOLDER = pathlib.Path(__file__).parent / "models"
random = np.random.default_rng(15)


def drawn(model):
    """The model with weights of which none is as another one."""
    for variable in model.variables:
        shape, name = variable.shape, variable.path.rsplit("/", 1)[-1]
        if "seed" in variable.path or name == "count":
            continue
        if name in ("gamma", "moving_variance", "variance"):
            value = random.uniform(0.5, 1.5, shape)
        elif name in ("beta", "bias", "moving_mean", "mean", "alpha"):
            value = random.uniform(-0.5, 0.5, shape)
        else:
            value = random.normal(0, max(1, np.prod(shape[:-1])) ** -0.5, shape)
        variable.assign(value.astype(np.float32))
    return model


def chain():
    """As MobileNet begins: windows of 3x3 that reach over the border by one at the end only, where it strides."""
    model = keras.Sequential(name="chain")
    model.add(keras.Input((9, 10, 3)))
    model.add(l.Rescaling([1 / 127, 1 / 128, 1 / 129], offset=-1))
    model.add(l.Conv2D(8, 3, strides=2, padding="same", use_bias=False))
    model.add(l.BatchNormalization())
    model.add(l.ReLU(6.0))
    model.add(l.DepthwiseConv2D(3, strides=2, padding="same", use_bias=False))
    model.add(l.BatchNormalization(scale=False))
    model.add(l.ReLU())
    model.add(l.SeparableConv2D(6, 3, padding="same", activation="relu"))
    model.add(l.Dropout(0.5))
    model.add(l.MaxPooling2D(2, padding="same"))
    model.add(l.Flatten())
    model.add(l.Dense(12, activation="silu"))
    model.add(l.BatchNormalization(center=False))
    model.add(l.Dense(5, activation="softmax"))
    return model


def graph():
    """Blocks, a model inside, and every other layer."""
    image = keras.Input((12, 12, 4), name="picture")
    x = l.Normalization(name="normalization")(image)
    x = l.ZeroPadding2D(((0, 1), (1, 2)))(x)
    x = l.Conv2D(8, 3, strides=2, name="stem", activation="leaky_relu")(x)
    # A residual with layers on both ways.
    a = l.Conv2D(8, (3, 1), padding="same", groups=2, name="block1_conv")(x)
    a = l.BatchNormalization(name="block1_norm", momentum=0.9)(a)
    a = l.PReLU(shared_axes=[1, 2])(a)
    b = l.Conv2D(8, 1, name="short")(x)
    x = l.Activation("hard_silu")(l.Add()([a, b]))
    # Squeeze and excitation.
    gate = l.GlobalAveragePooling2D(keepdims=True)(x)
    gate = l.Dense(4, activation="relu", name="squeeze")(gate)
    gate = l.Dense(8, activation="hard_sigmoid", name="excite")(gate)
    x = l.Multiply()([x, gate])
    # A model inside, twice.
    inner = keras.Sequential([keras.Input((6, 7, 8)), l.GroupNormalization(4), l.Conv2D(8, 3, dilation_rate=2, padding="same")], name="inner")
    x = l.Add()([inner(inner(x)), x])
    # Side by side.
    a = l.MaxPooling2D(3, strides=1, padding="same")(x)
    b = l.AveragePooling2D((3, 2), strides=1, padding="same")(x)
    b = l.Conv2D(4, 1, activation=l.ELU(0.5), name="way")(b)
    x = l.Concatenate()([a, b])
    x = l.LayerNormalization(name="layer_norm")(x)
    x = l.UpSampling2D(2)(x)
    x = l.Cropping2D(((1, 0), (2, 1)))(x)
    x = l.DepthwiseConv2D(2, depth_multiplier=2, activation="tanh", name="multiplied")(x)
    x = l.Conv2DTranspose(6, 3, strides=2, padding="same", name="up")(x)
    x = l.LeakyReLU(0.1)(x)
    x = l.UpSampling2D((1, 2), interpolation="bilinear")(x)
    x = l.Conv2DTranspose(4, 2, name="wide", activation="gelu")(x)
    x = l.SpatialDropout2D(0.1)(x)
    x = l.Conv2D(6, 5, strides=4, padding="same", activation="softplus", name="narrow")(x)
    x = l.ReLU(negative_slope=0.2)(x)
    # Arithmetic, as applications have it: hard_swish.
    x = x * l.ReLU(6.0)(x + 3.0) * (1.0 / 6.0)
    x = l.Permute((2, 1, 3))(x)
    x = l.Reshape((-1,))(x)
    x = l.Dense(7, name="scores", activation="elu")(x)
    return keras.Model(image, l.Softmax()(x), name="graph")


def packed():
    """Weights of 16 bits and in packed pieces, as other programs store what Keras reads all the same."""
    image = keras.Input((8, 8, 3), name="picture")
    x = l.Normalization(mean=[0.25, 0.5, -0.5], variance=[0.25, 4.0, 1.0], invert=True)(image)
    x = l.Conv2D(16, 3, padding="same", activation="relu", name="stem")(x)
    x = l.Average()([l.Conv2D(16, 3, padding="same", name="wide")(x), l.Conv2D(16, 1, name="narrow")(x), x])
    x = l.GlobalAveragePooling2D()(x)
    return keras.Model(image, l.Dense(5, activation="softmax", name="scores")(x), name="packed")


def stamps():
    """Transposed convs with gaps and of every way to pad, and norms over all axes."""
    image = keras.Input((4, 3, 3), name="picture")
    x = l.Conv2DTranspose(6, 3, dilation_rate=(2, 1), padding="same", name="gaps")(image)
    x = l.LayerNormalization(axis=(1, 2, 3), name="whole")(x)
    x = l.Conv2DTranspose(4, (3, 4), strides=2, output_padding=1, padding="same", name="even")(x)
    x = l.LayerNormalization(axis=[-1, -3, -2], center=False, name="factors")(x)
    x = l.Conv2DTranspose(4, (2, 1), strides=(3, 2), name="small")(x)
    x = l.Conv2DTranspose(3, (2, 3), strides=(3, 2), output_padding=(2, 0), name="more")(x)
    x = l.Conv2DTranspose(4, 2, strides=3, padding="same", activation="relu", name="least")(x)
    x = l.LayerNormalization(axis=[3], name="depth")(x)
    x = l.Conv2D(4, 7, strides=21, name="narrow")(x)
    return keras.Model(image, l.Dense(5, activation="softmax", name="scores")(l.Flatten()(x)), name="stamps")


def stored_anew(path):
    """Every array of more than a few numbers in pieces that gzip has packed; those of `wide` and `scores` in float16."""
    anew = path.with_suffix(".anew")
    with h5py.File(path) as old, h5py.File(anew, "w") as new:

        def copy(name, it):
            if isinstance(it, h5py.Dataset):
                values = it[()].astype(np.float16 if name.split("/")[1] in ("wide", "scores") else np.float32)
                how = dict(chunks=tuple(max(1, size // 2) for size in values.shape), compression="gzip", shuffle=True)
                to = new.create_dataset(name, data=values, **(how if values.size > 16 else {}))
            else:
                to = new.require_group(name)
            to.attrs.update(it.attrs)

        copy("/", old)
        old.visititems(copy)
    anew.replace(path)


def squeezed(path):
    """The archive with its parts made small: Keras stores them as they are."""
    parts = {}
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)


if __name__ == "__main__":
    for name, model in [("chain", chain()), ("graph", graph()), ("packed", packed()), ("stamps", stamps())]:
        drawn(model)
        scale = 200 if name == "chain" else 1
        images = (random.uniform(0, scale, [2, *model.input_shape[1:]])).astype(np.float32)
        path = FOLDER / f"{name}.{'h5' if name == 'packed' else 'keras'}"
        model.save(path)
        if name == "packed":
            stored_anew(path)
        elif name != "stamps":
            model.save(FOLDER / f"{name}.h5")
        if name in ("graph", "stamps"):
            squeezed(path)
        # As it is read again: `Normalization` computes with what it counted before, until then.
        model = keras.saving.load_model(path, compile=False)
        scores = np.concatenate([np.asarray(model(image[None], training=False)) for image in images])
        save_file({"images": images, "scores": scores}, FOLDER / f"{name}.expected.safetensors")
        print(name, model.count_params(), scores)
