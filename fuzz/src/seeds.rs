//! A few sound files for each target, from which the fuzzer begins.

use std::fs;
use std::io::Write;
use std::path::Path;

use convnet::data::Packer;
use convnet::weights;
use convnet_import::{Imported, Options};

use flate2::{Compression, write::GzEncoder};

use crate::{Net, file, folder, images, pytorch, trainer};

const DECLARATIONS: [&str; 7] = [
    "struct Cifar { input(32x32x3), conv1: conv(12, 5x5, pad = 2), relu, max_pool(2x2, stride = 2), scores: fc(10) }",
    "struct R { input(8x8x4), stage: [residual { conv(4, 3x3, pad = 1, bias = none), batch_norm, relu, \
     shortcut { conv(4, 1x1) } }, relu] * 3, global_avg_pool, fc(10), softmax }",
    "#[budget(ram = 64 KiB, flash = 1 MiB)] #[row_by_row] pub struct C { input(9x7x6), \
     concat { [conv(2, 1x1)], [avg_pool(3x3, stride = 1, pad = 1)] }, lrn(5), dropout(0.5), leaky_relu(0.1) }",
    "struct N { input(HxWx3), depthwise(3x3, stride = 2, pad = (1, 0), fit = crop), conv_transpose(8, 2x2, \
     stride = 2), conv(8, 3x1, groups = 2, dilation = 2, pad = same), fc(CLASSES) }",
    "struct H { input(4x4x2), normalize(mean = [0.5, -1.0], std = 0.25), layer(SHIFT, 4x4x2), layer(Scale<T, 2>, 4x4x2), network(Stem), flatten, \
     tanh, sigmoid, relu6, hard_swish, hard_sigmoid, silu, gelu, gelu_tanh, elu(0.5), softplus, \
     clamp(-1.0, 2.0), upsample(2x2), affine, pad((0, 1)), crop((0, 1)), space_to_depth(1x1), depth_to_space(1x1), \
     group_norm(1), layer_norm, layer_norm_volume, batch_norm(momentum = 0.5, affine = none), log_softmax, pad_depth(8), \
     slices(4, from = 2), prelu, upsample_bilinear(2x2), upsample_aligned(2x1), channel_shuffle(2), global_max_pool }",
    "struct O { input(4x4x2), relu, outputs { a: [conv(4, 1x1)], b: [], c: [global_avg_pool, fc(2)] } }",
    "struct F { input(224x224x3), conv1: conv(96, 11x11, stride = 4), max_pool(3x3, stride = 2, fit = pad) }",
];

/// Writes those of `target` into its corpus.
///
/// # Panics
///
/// If they cannot be written.
pub fn write(target: &str) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(target);
    fs::create_dir_all(&corpus).expect("a folder for seeds");
    for (index, seed) in of(target).iter().enumerate() {
        fs::write(corpus.join(format!("seed{index}")), seed).expect("a seed is written");
    }
}

fn of(target: &str) -> Vec<Vec<u8>> {
    let words = |words: &[u32], bytes: &[u8]| {
        let words = words.iter().flat_map(|word| word.to_be_bytes());
        words.chain(bytes.iter().copied()).collect::<Vec<u8>>()
    };
    let sound = weights::to_bytes(&*Net::<f32>::random(1)).expect("finite weights");
    match target {
        "declaration" => DECLARATIONS.map(|text| text.as_bytes().to_vec()).to_vec(),
        "weights" => vec![sound, file(b"{}", &[])],
        "header" => {
            let length = u64::from_le_bytes(*sound.first_chunk().expect("a length")) as usize;
            let header = String::from_utf8_lossy(&sound[8..8 + length]);
            let escaped = header.replace("conv1", "c\\u006fnv1");
            vec![header.as_bytes().to_vec(), escaped.into_bytes()]
        }
        "pytorch" => vec![pytorch()],
        "idx" => {
            let idx = words(&[0x803, 2, 2, 3], &[7; 12]);
            let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
            packed.write_all(&idx).expect("memory");
            let packed = packed.finish().expect("memory");
            vec![idx, words(&[0x801, 2], &[0, 1]), packed]
        }
        "packed" => {
            let path = folder().join("seed");
            let mut packer = Packer::new(&path, [2, 3, 1]).expect("a file");
            for label in 0..3 {
                packer.push(&[label as u8; 6], label).expect("an image");
            }
            packer.finish(3, &[]).expect("a file");
            vec![fs::read(&path).expect("a file")]
        }
        "cifar10" => vec![vec![3; 3073]],
        "onnx" => {
            let model = include_bytes!("../../convnet-import/tests/models/mnist.onnx").to_vec();
            // And with what `convnet::onnx` says of a declaration's lines.
            let own = Imported::from_bytes(&model, &Options::default()).and_then(|it| it.onnx());
            vec![model, own.expect("an ONNX model")]
        }
        "tflite" => vec![
            include_bytes!("../../convnet-import/tests/models/everything.tflite").to_vec(),
            include_bytes!("../../convnet-import/tests/models/speech.tflite").to_vec(),
        ],
        "keras" => vec![
            include_bytes!("../../convnet-import/tests/models/chain.keras").to_vec(),
            include_bytes!("../../convnet-import/tests/models/graph.keras").to_vec(),
            include_bytes!("../../convnet-import/tests/models/stamps.keras").to_vec(),
            include_bytes!("../../convnet-import/tests/models/chain.h5").to_vec(),
            include_bytes!("../../convnet-import/tests/models/keras2.h5").to_vec(),
        ],
        "checkpoint" => {
            let path = folder().join("seed");
            let _ = fs::remove_file(&path);
            let training = trainer(path.clone());
            training
                .fit(&mut *Net::<f32>::random(1), &images())
                .expect("a training");
            vec![fs::read(&path).expect("a checkpoint")]
        }
        _ => Vec::new(),
    }
}
