//! A real model, from its file to scores: what is imported stands here as `include!`, compiles, and gives the
//! scores of the model's own runtime. `models/README.md` says where the files come from.

use convnet_import::{Imported, Options};
use safetensors::SafeTensors;

include!("models/mnist.rs");

const MODEL: &[u8] = include_bytes!("models/mnist.onnx");
const EXPECTED: &[u8] = include_bytes!("models/mnist.expected.safetensors");

fn imported() -> Imported {
    Imported::from_bytes(MODEL, &Options::default()).expect("a ConvNet")
}

/// `BLESS=1 cargo test -p convnet-import` writes it anew: to be read.
#[test]
fn the_declaration_is_what_one_would_write() {
    let declaration = imported().declaration("Mnist");
    if std::env::var_os("BLESS").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/models/mnist.rs");
        std::fs::write(path, &declaration).expect("a folder that one can write to");
    }
    assert_eq!(declaration, include_str!("models/mnist.rs"));
}

#[test]
fn the_scores_are_the_models_own() {
    let mut net = Mnist::boxed();
    let weights = imported().weights().expect("a file");
    convnet::weights::from_bytes(&mut *net, &weights).expect("the weights of this network");
    let expected = SafeTensors::deserialize(EXPECTED).expect("expected scores");
    let [images, scores] = ["images", "scores"].map(|name| expected.tensor(name).expect(name));
    let scores: Vec<f32> = scores
        .data()
        .as_chunks()
        .0
        .iter()
        .map(|it| f32::from_le_bytes(*it))
        .collect();
    let (mut arena, mut image) = (Mnist::arena(), convnet::Volume::<f32, 28, 28, 1>::boxed());
    assert_eq!(images.shape(), [8, 28, 28]);
    for (pixels, expected) in images.data().chunks(28 * 28).zip(scores.chunks(10)) {
        for (to, from) in image.as_mut_slice().iter_mut().zip(pixels) {
            *to = f32::from(*from) / 255.0;
        }
        let found = net.forward(&image, &mut arena);
        let largest = expected.iter().fold(0.0_f32, |most, it| most.max(it.abs()));
        for (found, expected) in found.as_slice().iter().zip(expected) {
            assert!(
                (found - expected).abs() <= 1e-5 * largest,
                "{found} is not {expected}"
            );
        }
    }
}

#[test]
fn a_file_that_is_cut_off_or_damaged_is_an_error() {
    for end in (0..MODEL.len()).step_by(97) {
        let cut = Imported::from_bytes(&MODEL[..end], &Options::default());
        assert!(cut.is_err(), "cut off at {end}");
    }
    let mut damaged = MODEL.to_vec();
    for at in (0..MODEL.len()).step_by(61) {
        let byte = std::mem::replace(&mut damaged[at], 0xff);
        // A weight may have changed, or a name: whatever it is, nothing panics.
        _ = Imported::from_bytes(&damaged, &Options::default());
        damaged[at] = byte;
    }
}
