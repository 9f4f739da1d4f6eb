//! How far a network is from the scores that another library computes of the same images.

use convnet_import::{Imported, Options};
use safetensors::SafeTensors;

#[allow(dead_code, reason = "`custom.rs` has options")]
pub(crate) fn imported(model: &[u8]) -> Imported {
    Imported::from_bytes(model, &Options::default()).expect("a ConvNet")
}

/// `BLESS=1 cargo test -p convnet-import` writes the declaration anew: to be read.
pub(crate) fn declares(model: &Imported, name: &str, written: &str) {
    let declaration = model.declaration(name);
    if std::env::var_os("BLESS").is_some() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/models");
        let path = format!("{folder}/{}.rs", name.to_lowercase());
        std::fs::write(path, &declaration).expect("a folder that one can write to");
    }
    assert_eq!(declaration, written);
}

/// Images and the scores for each.
pub(crate) fn expected(file: &[u8]) -> [Vec<f32>; 2] {
    let file = SafeTensors::deserialize(file).expect("images and scores");
    ["images", "scores"].map(|name| {
        let tensor = file.tensor(name).expect(name);
        let (chunks, _) = tensor.data().as_chunks();
        chunks.iter().map(|it| f32::from_le_bytes(*it)).collect()
    })
}

macro_rules! differs {
    ($net:ty, $model:expr, $expected:literal) => {{
        type Net = $net;
        let mut net = Net::boxed();
        let weights = $model.weights().expect("a file");
        convnet::weights::from_bytes(&mut *net, &weights).expect("the weights of this network");
        let [images, scores] = crate::scores::expected(include_bytes!($expected));
        const INPUT: [usize; 3] = Net::INPUT;
        let mut image = convnet::Volume::<f32, { INPUT[0] }, { INPUT[1] }, { INPUT[2] }>::boxed();
        let (mut arena, mut most) = (Net::arena(), 0.0_f32);
        let numbers = image.as_slice().len();
        assert!(images.len() > numbers);
        let each = scores.len() / (images.len() / numbers);
        for (pixels, expected) in images.chunks(numbers).zip(scores.chunks(each)) {
            image.as_mut_slice().copy_from_slice(pixels);
            let found = net.forward(&image, &mut arena).as_slice();
            assert_eq!(found.len(), expected.len());
            for (found, expected) in found.iter().zip(expected) {
                assert!(found.is_finite());
                most = most.max((found - expected).abs());
            }
        }
        most
    }};
}

pub(crate) use differs;
