//! Models of TensorFlow Lite, from their files to scores: what is imported stands here as `include!`, compiles, and
//! gives the scores of LiteRT. `models/README.md` says where the files come from.

mod scores;

use convnet::int8;
use convnet::int8::Int8;
use convnet::{Volume, tflite};
use convnet_import::{ImportError, Imported, Options};
use safetensors::SafeTensors;
use scores::{differs, imported};

include!("models/everything.rs");
include!("models/pieces.rs");
include!("models/sine.rs");
include!("models/speech.rs");

int8!(Sine);
int8!(Speech);

const EVERYTHING: &[u8] = include_bytes!("models/everything.tflite");
const PIECES: &[u8] = include_bytes!("models/pieces.tflite");
const SINE: &[u8] = include_bytes!("models/sine.tflite");
const SPEECH: &[u8] = include_bytes!("models/speech.tflite");

#[test]
fn the_declarations_are_what_one_would_write() {
    scores::declares(
        &imported(EVERYTHING),
        "Everything",
        include_str!("models/everything.rs"),
    );
    scores::declares(
        &imported(PIECES),
        "Pieces",
        include_str!("models/pieces.rs"),
    );
    scores::declares(&imported(SINE), "Sine", include_str!("models/sine.rs"));
    scores::declares(
        &imported(SPEECH),
        "Speech",
        include_str!("models/speech.rs"),
    );
}

/// Probabilities of about 1/10; weights of 16 bits are exact in both.
#[test]
fn the_scores_are_those_of_the_runtime() {
    let differs = differs!(
        Everything,
        imported(EVERYTHING),
        "models/everything.expected.safetensors"
    );
    assert!(differs <= 2e-7, "{differs}");
    // Logarithms of up to 11.
    let pieces = differs!(
        Pieces,
        imported(PIECES),
        "models/pieces.expected.safetensors"
    );
    assert!(pieces <= 2e-6, "{pieces}");
}

/// It rounds its activations to 8 bits, and cuts sums off, and the network in `f32` does not: probabilities for these
/// random images are near, and those of other weights would not be.
#[test]
fn an_int8_model_is_near() {
    let differs = differs!(
        Speech,
        imported(SPEECH),
        "models/speech.expected.safetensors"
    );
    assert!(differs <= 0.15, "{differs}");
}

/// Bytes that TensorFlow Lite computed of bytes.
macro_rules! holds_to_the_bit {
    ($net:ty, $model:expr, $expected:literal) => {{
        let file = $model.int8().expect("its own rounding").expect("bytes");
        let twin = Int8::<$net>::from_bytes(&file).expect("the int8 network of this declaration");
        // Out again, and in again.
        let model = tflite::int8_to_bytes(&*twin).expect("a model");
        assert_eq!(
            imported(&model).int8().expect("no other rounding"),
            Some(file)
        );
        let expected = SafeTensors::deserialize(include_bytes!($expected)).expect("bytes");
        let [images, scores] = ["inputs", "outputs"].map(|name| expected.tensor(name).expect(name));
        const INPUT: [usize; 3] = <$net>::INPUT;
        let mut image = Volume::<i8, { INPUT[0] }, { INPUT[1] }, { INPUT[2] }>::boxed();
        let mut arena = Int8::<$net>::arena();
        let each = scores.shape()[1];
        assert_eq!(scores.shape()[0], 16);
        let images = images.data().chunks(image.as_slice().len());
        for (bytes, expected) in images.zip(scores.data().chunks(each)) {
            let bytes = bytes.iter().map(|it| it.cast_signed());
            image
                .as_mut_slice()
                .iter_mut()
                .zip(bytes)
                .for_each(|(to, it)| *to = it);
            let found = twin.forward(&image, &mut arena).as_slice().iter();
            let found: Vec<u8> = found.map(|it| it.cast_unsigned()).collect();
            assert_eq!(found, expected);
        }
    }};
}

#[test]
fn an_int8_model_in_bytes_is_the_same_to_the_bit() {
    holds_to_the_bit!(Sine, imported(SINE), "models/sine.bytes.safetensors");
    holds_to_the_bit!(Speech, imported(SPEECH), "models/speech.bytes.safetensors");
    let floats = imported(EVERYTHING).int8().expect("no rounding");
    assert_eq!(floats, None);
}

#[test]
fn what_would_be_rounded_otherwise_is_named() {
    // Steps of 1/256, as probabilities have, become some of 1/128; its f32 does not mind.
    let mut model = SPEECH.to_vec();
    let step = |it: &[u8]| it == (1.0_f32 / 256.0).to_le_bytes();
    let at = model.windows(4).rposition(step).expect("of softmax");
    model[at..at + 4].copy_from_slice(&(1.0_f32 / 128.0).to_le_bytes());
    let error = imported(&model).int8().expect_err("no softmax").to_string();
    assert!(error.contains("softmax1 has other steps than"), "{error}");
}

#[test]
fn what_is_refused_is_named() {
    // HARD_SWISH, 117, becomes COS, 108, in both places where a code may stand.
    let mut model = EVERYTHING.to_vec();
    let code = |it: &[u8]| it == 117_i32.to_le_bytes();
    let at = model.windows(4).position(code).expect("its code");
    model[at] = 108;
    let at = model
        .iter()
        .position(|&it| it == 117)
        .expect("its old code");
    model[at] = 108;
    let error = Imported::from_bytes(&model, &Options::default()).expect_err("a cosine");
    let ImportError::Refused(refusals) = error else {
        panic!("{error}");
    };
    let [refusal] = refusals.as_slice() else {
        panic!("{refusals:?}");
    };
    assert_eq!([refusal.operator.as_str(), &refusal.node], ["COS", "swish"]);
}

#[test]
fn a_file_that_is_cut_off_or_damaged_is_no_panic() {
    for model in [EVERYTHING, PIECES, SPEECH] {
        // At its very end a file may have what nobody reads.
        for end in (0..model.len() * 9 / 10).step_by(97) {
            let cut = Imported::from_bytes(&model[..end], &Options::default());
            assert!(cut.is_err(), "cut off at {end}");
        }
        let mut damaged = model.to_vec();
        for at in (0..model.len()).step_by(31) {
            let byte = std::mem::replace(&mut damaged[at], 0xff);
            // A weight may have changed, or a name: whatever it is, nothing panics.
            _ = Imported::from_bytes(&damaged, &Options::default());
            damaged[at] = byte;
        }
    }
}
