//! Weight files of PyTorch as they are: other names, other types, other shapes, more and less than declared.
#![cfg(feature = "safetensors")]

use convnet::weights::{self, Flattened, Mapping, WeightsError};
use convnet::{OnHeap, Parameters, Real, Role, convnet};

/// A tensor of a file: its name, its shape, and its scalars as they count up.
type Entry<'a> = (&'a str, &'a [usize]);

/// A file of `F32` whose scalars are 0, 1, 2 … through all tensors.
fn file(tensors: &[Entry<'_>]) -> Vec<u8> {
    let scalars = tensors
        .iter()
        .map(|(_, shape)| shape.iter().product::<usize>());
    let bytes = (0..scalars.sum::<usize>()).flat_map(|it| (it as f32).to_le_bytes());
    typed("F32", 4, tensors, bytes.collect())
}

fn typed(dtype: &str, width: usize, tensors: &[Entry<'_>], bytes: Vec<u8>) -> Vec<u8> {
    let mut at = 0;
    let entries = tensors.iter().map(|(name, shape)| {
        let from = at;
        at += width * shape.iter().product::<usize>();
        format!(r#""{name}":{{"dtype":"{dtype}","shape":{shape:?},"data_offsets":[{from},{at}]}}"#)
    });
    let json = format!("{{{}}}", entries.collect::<Vec<_>>().join(","));
    let length = (json.len() as u64).to_le_bytes();
    [&length[..], json.as_bytes(), &bytes].concat()
}

convnet! {
    struct Small {
        input(3x2x2),
        scores: fc(2),
    }
}

const SMALL: [Entry<'_>; 2] = [("scores.weight", &[2, 12]), ("scores.bias", &[2])];

/// Reads a file of `Small`, and gives the place in the file of the weight of each `[y][x][d][k]`.
fn places(tensors: &[Entry<'_>], mapping: &Mapping) -> Vec<f32> {
    let mut net = Small::boxed();
    weights::from_pytorch(&mut *net, &file(tensors), mapping).unwrap();
    net.tensor(0).to_vec()
}

fn refused(bytes: &[u8], mapping: &Mapping) -> WeightsError {
    let mut net = Small::<f32>::random(1);
    let before = weights::to_bytes(&*net).unwrap();
    let error = weights::from_pytorch(&mut *net, bytes, mapping).unwrap_err();
    assert_eq!(weights::to_bytes(&*net).unwrap(), before, "{error}");
    error
}

/// The network reads 2 rows, 3 columns, 2 slices. The line that `nn.Linear` reads is written by six loops.
#[test]
fn a_volume_is_flattened_in_the_order_that_the_mapping_says() {
    use Flattened::*;

    let lengths = [2, 3, 2];
    // Which axis of `[y, x, d]` the loops go over, the outermost first.
    for (order, loops) in [
        (DepthHeightWidth, [2, 0, 1]),
        (DepthWidthHeight, [2, 1, 0]),
        (HeightWidthDepth, [0, 1, 2]),
        (HeightDepthWidth, [0, 2, 1]),
        (WidthHeightDepth, [1, 0, 2]),
        (WidthDepthHeight, [1, 2, 0]),
    ] {
        let mut expected = [0.0; 24];
        let mut at = 0;
        for a in 0..lengths[loops[0]] {
            for b in 0..lengths[loops[1]] {
                for c in 0..lengths[loops[2]] {
                    let mut place = [0; 3];
                    for (axis, index) in loops.into_iter().zip([a, b, c]) {
                        place[axis] = index;
                    }
                    let [y, x, d] = place;
                    for k in 0..2 {
                        expected[((y * 3 + x) * 2 + d) * 2 + k] = (k * 12 + at) as f32;
                    }
                    at += 1;
                }
            }
        }
        let mapping = Mapping::new().flattened("scores", order);
        assert_eq!(places(&SMALL, &mapping), expected, "{order:?}");
    }
    // Depth first is what PyTorch does without being told.
    assert_eq!(
        places(&SMALL, &Mapping::new()),
        places(
            &SMALL,
            &Mapping::new().flattened("scores", DepthHeightWidth)
        )
    );
}

#[test]
fn inputs_may_come_first() {
    let turned = [("scores.weight", &[12, 2][..]), SMALL[1]];
    let error = refused(&file(&turned), &Mapping::new());
    assert!(matches!(error, WeightsError::Shape { .. }));
    assert!(
        error.to_string().contains("`.transposed` says so"),
        "{error}"
    );

    // As TensorFlow keeps the weights of a dense layer, which are ours.
    let mapping = Mapping::new()
        .transposed("scores")
        .flattened("scores", Flattened::HeightWidthDepth);
    let ours: Vec<f32> = (0..24u8).map(f32::from).collect();
    assert_eq!(places(&turned, &mapping), ours);
    // The same, slices first.
    let places = places(&turned, &Mapping::new().transposed("scores"));
    assert_eq!(places[..4], [0.0, 1.0, 12.0, 13.0]);
}

#[test]
fn axes_of_length_one_do_not_count() {
    let plain = places(&SMALL, &Mapping::new());
    let wide = [
        ("scores.weight", &[2, 1, 12, 1][..]),
        ("scores.bias", &[1, 2]),
    ];
    let error = refused(&file(&wide), &Mapping::new());
    assert!(matches!(error, WeightsError::Shape { .. }), "{error}");
    let wide = [("scores.weight", &[2, 12][..]), ("scores.bias", &[1, 2])];
    assert_eq!(places(&wide, &Mapping::new()), plain);
    let wide = [
        ("scores.weight", &[2, 2, 2, 3][..]),
        ("scores.bias", &[1, 2, 1]),
    ];
    assert_eq!(places(&wide, &Mapping::new()), plain);
}

#[test]
fn floats_of_other_types_are_converted() {
    let tensors = [("scores.weight", &[2, 12][..]), ("scores.bias", &[2])];
    // The last two scalars are the biases: 1/3 as each type has it, and 2^-24, the least half.
    let third = 1.0_f64 / 3.0;
    let cases = [
        (
            "F64",
            8,
            [third.to_le_bytes().into(), 0.25f64.to_le_bytes().into()],
            [third, 0.25],
        ),
        (
            "F32",
            4,
            [0.5f32.to_le_bytes().into(), 0.25f32.to_le_bytes().into()],
            [0.5, 0.25],
        ),
        // numpy.float16(1/3) is 0x3555, 0.333251953125.
        (
            "F16",
            2,
            [vec![0x55, 0x35], vec![1u8, 0x80]],
            [0.333251953125, -(0.5f64.powi(24))],
        ),
        // 1/3 in 8 bits is 0x3eab, 0.333984375.
        (
            "BF16",
            2,
            [vec![0xab, 0x3e], vec![0, 0xc0]],
            [0.333984375, -2.0],
        ),
    ];
    fn biases<T: Real>(bytes: &[u8]) -> [f64; 2] {
        let mut net = Small::<T>::boxed();
        weights::from_pytorch(&mut *net, bytes, &[]).unwrap();
        net.scores.bias.map(T::widen)
    }
    for (dtype, width, last, expected) in cases {
        let bytes = [vec![0; 24 * width], last.concat()].concat();
        let bytes = typed(dtype, width, &tensors, bytes);
        assert_eq!(biases::<f64>(&bytes), expected, "{dtype}");
        assert_eq!(
            biases::<f32>(&bytes),
            expected.map(|it| f64::from(it as f32)),
            "{dtype}"
        );
    }
    let error = refused(&typed("I64", 8, &tensors, vec![0; 26 * 8]), &Mapping::new());
    assert!(matches!(error, WeightsError::Dtype { .. }), "{error}");
    // Infinity and no number, as halves; and what is too large for the network's scalar.
    for (dtype, width, last) in [
        ("F16", 2, vec![0, 0x7c]),
        ("F16", 2, vec![1, 0x7c]),
        ("BF16", 2, vec![0x80, 0x7f]),
        ("F64", 8, 1e39f64.to_le_bytes().into()),
    ] {
        let bytes = [vec![0; 25 * width], last].concat();
        let error = refused(&typed(dtype, width, &tensors, bytes), &Mapping::new());
        assert!(
            matches!(error, WeightsError::NotFinite { index: 1, .. }),
            "{error}"
        );
    }
}

#[test]
fn every_half_is_its_number() {
    convnet! {
        struct Halves {
            input(256x256x1),
            scores: fc(1),
        }
    }
    // All that are finite, by the definition of IEEE 754: 5 bits of exponent, 10 of fraction.
    let finite: Vec<u16> = (0..=u16::MAX)
        .filter(|bits| bits >> 10 & 31 != 31)
        .collect();
    let mut bits = finite.clone();
    bits.resize(256 * 256 + 1, 0);
    let bytes = bits.iter().flat_map(|it| it.to_le_bytes()).collect();
    let tensors = [
        ("scores.weight", &[1, 256 * 256][..]),
        ("scores.bias", &[1]),
    ];
    let mut net = Halves::<f32>::boxed();
    weights::from_pytorch(&mut *net, &typed("F16", 2, &tensors, bytes), &[]).unwrap();
    for (bits, found) in finite.into_iter().zip(net.tensor(0)) {
        let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023));
        let expected = match exponent {
            0 => fraction * 2f64.powi(-24),
            _ => (1024.0 + fraction) * 2f64.powi(exponent - 25),
        };
        let sign = if bits < 0x8000 { 1.0 } else { -1.0 };
        assert_eq!(f64::from(*found), sign * expected, "{bits:x}");
    }
}

#[test]
fn what_is_absent_does_nothing() {
    let bytes = file(&SMALL[..1]);
    let error = refused(&bytes, &Mapping::new());
    assert!(matches!(&error, WeightsError::Unmapped { ours, .. } if ours == "scores.bias"));
    assert!(
        error.to_string().contains(r#"`.absent("scores.bias")`"#),
        "{error}"
    );

    let mut net = Small::<f32>::random(1);
    let mapping = Mapping::new().absent("*.bias");
    let mapped = weights::from_pytorch(&mut *net, &bytes, &mapping).unwrap();
    assert_eq!(net.scores.bias, [0.0; 2]);
    assert_eq!(mapped.absent, ["scores.bias"]);
    assert!(
        mapped
            .to_string()
            .contains("`scores.bias` is not in the file, and does nothing")
    );
    // Filters without values are none; and a pattern of nothing is a slip.
    let error = refused(&file(&SMALL[1..]), &Mapping::new().absent("scores"));
    assert!(matches!(error, WeightsError::Unmapped { .. }), "{error}");
    let error = refused(&bytes, &Mapping::new().absent("score.bias"));
    assert!(matches!(&error, WeightsError::UnknownLayer { layer, .. } if layer == "score.bias"));
}

convnet! {
    struct Norms {
        input(1x1x2),
        bn1: batch_norm,
        bn2: batch_norm(eps = 1e-3),
    }
}

convnet! {
    struct Plain {
        input(2x3x2),
        bn1: batch_norm(affine = none),
        ln1: layer_norm_volume,
    }
}

/// What PyTorch writes of `nn.BatchNorm2d(2, affine=False)` and `nn.LayerNorm([2, 3, 2])`, whose axes are turned.
#[test]
fn what_is_declared_without_factors_is_read_without() {
    let bytes = file(&[
        ("bn1.running_mean", &[2]),
        ("bn1.running_var", &[2]),
        ("ln1.weight", &[2, 3, 2]),
        ("ln1.bias", &[2, 3, 2]),
    ]);
    let mut net = Plain::<f32>::boxed();
    weights::from_pytorch(&mut *net, &bytes, &[]).unwrap();
    assert_eq!((net.bn1.mean, net.bn1.variance), ([0.0, 1.0], [2.0, 3.0]));
    // Numbers are counted up from 4, slice after slice.
    let expected =
        [0, 1, 2].map(|y| [0, 1].map(|x| [0, 1].map(|d| (4 + 6 * d + 2 * y + x) as f32)));
    assert_eq!(net.ln1.gamma, expected);
    assert_eq!(net.ln1.beta[2][1][1], 12.0 + 15.0);
}

/// `bn1` is `nn.BatchNorm2d(2, affine=False)`, `bn2` has `track_running_stats=False`.
#[test]
fn a_norm_without_factors_or_statistics_is_told_apart() {
    let bytes = file(&[
        ("bn1.running_mean", &[2]),
        ("bn1.running_var", &[2]),
        ("bn2.weight", &[2]),
        ("bn2.bias", &[2]),
    ]);
    let mut net = Norms::<f32>::boxed();
    let error = weights::from_pytorch(&mut *net, &bytes, &[]).unwrap_err();
    assert!(
        error.to_string().contains(r#"`.absent("bn1.gamma")`"#),
        "{error}"
    );
    let mapping = Mapping::new().absent("bn1.gamma").absent("bn1.beta");
    let error = weights::from_pytorch(&mut *net, &bytes, &mapping).unwrap_err();
    assert!(
        error.to_string().contains("`train::calibrate` finds them"),
        "{error}"
    );
    let mapping = mapping.absent("bn2");
    let mapped = weights::from_pytorch(&mut *net, &bytes, &mapping).unwrap();
    assert_eq!((net.bn1.gamma, net.bn1.beta), ([1.0; 2], [0.0; 2]));
    assert_eq!((net.bn1.mean, net.bn1.variance), ([0.0, 1.0], [2.0, 3.0]));
    assert_eq!((net.bn2.gamma, net.bn2.beta), ([4.0, 5.0], [6.0, 7.0]));
    assert_eq!((net.bn2.mean, net.bn2.variance), ([0.0; 2], [1.0; 2]));
    // What no file holds is said.
    assert_eq!(
        mapped.epsilons,
        [("bn1.variance", 1e-5), ("bn2.variance", 1e-3)]
    );
    assert!(
        mapped
            .to_string()
            .contains("with eps = 1e-3, which the file does not hold")
    );
}

convnet! {
    /// Two stages of two blocks, as ResNet's, small.
    struct Blocks {
        input(4x4x2),
        conv1: conv(2, 3x3, pad = same, bias = none),
        stage1: [residual {
            conv1: conv(2, 3x3, pad = same),
            conv2: conv(2, 3x3, pad = same),
        }] * 2,
        stage2: residual {
            conv1: conv(3, 3x3, pad = same),
            conv2: conv(3, 3x3, pad = same),
            shortcut { conv(3, 1x1, bias = none), batch_norm },
        },
        scores: fc(2),
    }
}

/// The file that torchvision would write of `Blocks`, behind a prefix.
fn blocks(prefix: &str) -> (Vec<u8>, Vec<String>) {
    let mut names = vec!["conv1.weight".to_owned()];
    for block in ["layer1.0", "layer1.1", "layer2.0"] {
        for conv in ["conv1", "conv2"] {
            names.push(format!("{block}.{conv}.weight"));
            names.push(format!("{block}.{conv}.bias"));
        }
    }
    names.push("layer2.0.downsample.0.weight".into());
    for tensor in ["weight", "bias", "running_mean", "running_var"] {
        names.push(format!("layer2.0.downsample.1.{tensor}"));
    }
    names.extend(["fc.weight".into(), "fc.bias".into()]);
    let names: Vec<String> = names.iter().map(|name| format!("{prefix}{name}")).collect();
    let shapes: Vec<Vec<usize>> = Blocks::<f32>::TENSORS.iter().map(shape).collect();
    let tensors: Vec<Entry<'_>> = names
        .iter()
        .map(|it| &**it)
        .zip(shapes.iter().map(|it| &**it))
        .collect();
    (file(&tensors), names)
}

fn shape(tensor: &convnet::Tensor) -> Vec<usize> {
    match (tensor.shape, tensor.role) {
        (&[h, w, d, k], Role::Weights) => vec![k, h * w * d],
        (&[h, w, d, k], _) => vec![k, d, h, w],
        (shape, _) => shape.to_vec(),
    }
}

#[test]
fn rules_name_what_a_list_would() {
    let mapping = Mapping::new()
        .prefix("module.")
        .name("stage1.residual#", "layer1.#")
        .name("stage2", "layer2.0")
        .name("*.shortcut.conv1", "layer2.0.downsample.0")
        .name("*.shortcut.batch_norm1", "layer2.0.downsample.1")
        .name("scores", "fc");
    let (bytes, names) = blocks("module.");
    let mapped = weights::from_pytorch(&mut *Blocks::<f32>::boxed(), &bytes, &mapping).unwrap();
    let ours: Vec<&str> = Blocks::<f32>::TENSORS.iter().map(|it| it.name).collect();
    let expected: Vec<_> = ours.into_iter().zip(names).collect();
    assert_eq!(mapped.read, expected);
}

#[test]
fn a_mapping_is_proposed_that_works() {
    let refused = |bytes: &[u8], mapping: &Mapping| {
        let mut net = Blocks::<f32>::boxed();
        weights::from_pytorch(&mut *net, bytes, mapping)
            .unwrap_err()
            .to_string()
    };
    let (bytes, names) = blocks("model.");
    // Names that are alike come first.
    let text = refused(&bytes, &Mapping::new());
    let nearest = "the file has no tensor `conv1.weight`, for `conv1.filters`; it holds `model.conv1.weight`, ";
    assert!(text.starts_with(nearest), "{text}");
    let text = refused(&bytes, &Mapping::new().prefix("model."));
    let lines = text.lines().filter_map(|line| line.strip_prefix("    (\""));
    let pairs = lines.map(|line| {
        let (ours, theirs) = line.split_once("\", \"").unwrap();
        (ours, theirs.strip_suffix("\"),").unwrap())
    });
    let pairs: Vec<(&str, &str)> = pairs.collect();
    assert_eq!(
        pairs,
        [
            ("stage1.residual1", "layer1.0"),
            ("stage1.residual2", "layer1.1"),
            ("stage2", "layer2.0"),
            ("stage2.shortcut.conv1", "layer2.0.downsample.0"),
            ("stage2.shortcut.batch_norm1", "layer2.0.downsample.1"),
            ("scores", "fc"),
        ],
        "{text}"
    );
    let mapping = Mapping::from(&pairs).prefix("model.");
    let mapped = weights::from_pytorch(&mut *Blocks::<f32>::boxed(), &bytes, &mapping).unwrap();
    assert!(mapped.read.iter().map(|(_, theirs)| theirs).eq(&names));

    // A prefix that would do is said.
    let bytes = file(&[
        ("module.scores.weight", &[2, 12]),
        ("module.scores.bias", &[2]),
    ]);
    let error = weights::from_pytorch(&mut *Small::<f32>::boxed(), &bytes, &[]).unwrap_err();
    let text = error.to_string();
    assert!(
        text.ends_with(r#"begin with `module.`: say `.prefix("module.")`"#),
        "{text}"
    );
}

#[test]
fn the_second_of_ten_comes_before_the_tenth() {
    convnet! {
        struct Row {
            input(1x1x2),
            [fc(2)] * 11,
        }
    }
    let names: Vec<[String; 2]> = (0..11)
        .map(|it| ["weight", "bias"].map(|tensor| format!("{it}.{tensor}")))
        .collect();
    let mut sorted: Vec<&String> = names.iter().flatten().collect();
    sorted.sort();
    let shape = |name: &str| {
        if name.ends_with("weight") {
            &[2, 2][..]
        } else {
            &[2]
        }
    };
    let tensors: Vec<Entry<'_>> = sorted.iter().map(|it| (it.as_str(), shape(it))).collect();
    let mut net = Row::<f32>::boxed();
    let text = weights::from_pytorch(&mut *net, &file(&tensors), &[])
        .unwrap_err()
        .to_string();
    assert!(text.contains("(\"fc3\", \"2\"),\n"), "{text}");
    assert!(text.ends_with("(\"fc11\", \"10\"),\n]"), "{text}");
    let mapping = Mapping::new().name("fc#", "#");
    weights::from_pytorch(&mut *net, &file(&tensors), &mapping).unwrap();
}

#[test]
fn what_is_not_the_networks_is_passed_over_when_asked() {
    let bytes = file(&[
        SMALL[0],
        SMALL[1],
        ("aux.fc.weight", &[3]),
        ("aux.fc.bias", &[3]),
    ]);
    let error = refused(&bytes, &Mapping::new());
    assert!(matches!(&error, WeightsError::Unused { tensor, .. } if tensor == "aux.fc.weight"));
    assert!(
        error.to_string().ends_with(r#"`.ignore("aux.fc")`"#),
        "{error}"
    );
    let mapping = Mapping::new().ignore("aux");
    let mapped = weights::from_pytorch(&mut *Small::<f32>::boxed(), &bytes, &mapping).unwrap();
    assert_eq!(mapped.ignored, ["aux.fc.weight", "aux.fc.bias"]);
    let text = mapped.to_string();
    assert!(
        text.contains("`aux.fc.bias` of the file was passed over"),
        "{text}"
    );
}

#[test]
fn a_pickle_is_named_with_the_line_that_converts_it() {
    for beginning in [
        &b"PK\x03\x04\0\0\x08\x08 model/data.pkl"[..],
        b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j",
    ] {
        let text = refused(beginning, &Mapping::new()).to_string();
        assert!(
            text.contains("it is a pickle, as `torch.save` writes it\npython3 -c \"import torch"),
            "{text}"
        );
    }
}
