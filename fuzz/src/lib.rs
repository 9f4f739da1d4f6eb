//! What the targets share: a network, files of it, and what must hold of whatever is read.

pub mod seeds;

use std::fs;
use std::path::PathBuf;

use convnet::data::Images;
use convnet::optim::Sgd;
use convnet::train::{Progress, Trainer};
use convnet::{convnet, flash, weights};
use convnet_import::{Imported, Options};
use proc_macro2::TokenStream;
use safetensors::SafeTensors;

convnet! {
    /// One of each kind of tensor: filters, a bias, statistics.
    pub struct Net {
        input(2x2x1),
        conv1: conv(1, 1x1, bias = none),
        bn1: batch_norm,
        scores: fc(2),
    }
}

/// The macro does not panic at the declaration `text`, and whatever it makes of it is Rust.
///
/// A harness without `cfg(fuzzing)` calls `proc_macro2::extra::invalidate_current_thread_spans` after each:
/// with the feature `span-locations`, every text that was ever parsed stays in memory, so that its spans
/// keep their places. Of 100,000 declarations 380 MB stay, and 13 MB if they are let go.
pub fn check_declaration(text: &str) {
    // What is no sequence of tokens, the compiler refuses before the macro sees it.
    let Ok(tokens) = format!("[::convnet::generated] {text}").parse::<TokenStream>() else {
        return;
    };
    let expansion = convnet_declaration::expansion(tokens);
    if let Err(error) = syn::parse2::<syn::File>(expansion) {
        panic!("no Rust: {error}");
    }
}

/// Whatever model `bytes` are, what is read has a declaration that the macro takes, and weights.
///
/// # Panics
///
/// If it has not.
pub fn check_import(bytes: &[u8]) {
    match Imported::from_bytes(bytes, &Options::default()) {
        Ok(model) => {
            let text = model.declaration("Net");
            let lines = text.strip_prefix("convnet::convnet! {");
            let lines = lines.and_then(|lines| lines.trim_end().strip_suffix('}'));
            let lines = lines.expect("a declaration");
            let tokens = format!("[::convnet::generated] {lines}").parse::<TokenStream>();
            let expansion = convnet_declaration::expansion(tokens.expect("tokens"));
            assert!(!expansion.to_string().contains("compile_error"), "{text}");
            assert!(model.weights().is_ok());
            // Of an int8 model, its bytes, or why there are none.
            drop(model.int8());
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// A file of JSON and scalars, as the format's specification writes it.
#[must_use]
pub fn file(header: &[u8], scalars: &[u8]) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes()[..], header, scalars].concat()
}

/// Both readers take `bytes`, or refuse them with the same words; they refuse what the reference does.
/// A file of values that are not finite the compiler takes, which does not look at values.
pub fn check_weights(bytes: &[u8]) {
    let mut net = Net::<f32>::random(1);
    let before = weights::to_bytes(&*net).expect("finite");
    let program = weights::from_bytes(&mut *net, bytes);
    let compiler = flash::read::<Net>(bytes);
    match (&program, &compiler) {
        (Ok(()), Ok(read)) => assert_eq!(
            weights::to_bytes(&*net).ok(),
            weights::to_bytes(read).ok(),
            "the values differ"
        ),
        (Err(weights::WeightsError::NotFinite { .. }), _) => {}
        // What is cut off a message is so at the compiler only.
        (Err(a), Err(b)) if b.is_cut() => assert!(!a.to_string().is_empty()),
        (Err(a), Err(b)) => assert_eq!(a.to_string(), b.as_str()),
        (Err(error), Ok(_)) => panic!("the compiler takes what is refused: {error}"),
        (Ok(()), Err(error)) => panic!("the compiler refuses what is taken: {error}"),
    }
    if program.is_err() {
        assert_eq!(
            weights::to_bytes(&*net).ok(),
            Some(before),
            "a bad file changed the network"
        );
    }
    if SafeTensors::deserialize(bytes).is_err() {
        assert!(program.is_err(), "the reference refuses it");
    }
}

/// The same scalars under PyTorch's names.
#[must_use]
pub fn pytorch() -> Vec<u8> {
    let header = br#"{"c.weight":{"dtype":"F32","shape":[1,1,1,1],"data_offsets":[0,4]},
"bn1.weight":{"dtype":"F32","shape":[1],"data_offsets":[4,8]},
"bn1.bias":{"dtype":"F32","shape":[1],"data_offsets":[8,12]},
"bn1.running_mean":{"dtype":"F32","shape":[1],"data_offsets":[12,16]},
"bn1.running_var":{"dtype":"F32","shape":[1],"data_offsets":[16,20]},
"scores.weight":{"dtype":"F32","shape":[2,4],"data_offsets":[20,52]},
"scores.bias":{"dtype":"F32","shape":[2],"data_offsets":[52,60]},
"bn1.num_batches_tracked":{"dtype":"I64","shape":[],"data_offsets":[60,68]}}"#;
    let scalars: Vec<u8> = [0.5f32; 17].map(f32::to_le_bytes).concat();
    file(header, &scalars)
}

/// A folder of this process, in memory where the system has such a place.
#[must_use]
pub fn folder() -> PathBuf {
    let memory = PathBuf::from("/dev/shm");
    let base = if memory.is_dir() {
        memory
    } else {
        std::env::temp_dir()
    };
    let folder = base.join(format!("convnet-fuzz-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// A short training whose checkpoint is `path`.
#[must_use]
pub fn trainer(path: PathBuf) -> Trainer<Sgd, convnet::loss::SoftmaxCrossEntropy> {
    Trainer::new(Sgd::default())
        .epochs(1)
        .batch_size(2)
        .shards(1)
        .threads(1)
        .checkpoint(path)
        .progress(Progress::Silent)
}

/// What it trains on.
#[must_use]
pub fn images() -> Images {
    Images::new([2, 2, 1], 2, (0..16).collect(), vec![0, 1, 1, 0]).expect("four images")
}
