//! Models of Keras, from their files to scores: what is imported stands here as `include!`, compiles, and gives the
//! scores of Keras. `models/README.md` says where the files come from.

mod scores;

use convnet_import::{ImportError, Imported, Options};
use scores::{differs, imported};

include!("models/chain.rs");
include!("models/graph.rs");
include!("models/keras2.rs");
include!("models/packed.rs");
include!("models/stamps.rs");

const CHAIN: &[u8] = include_bytes!("models/chain.keras");
const CHAIN_H5: &[u8] = include_bytes!("models/chain.h5");
const GRAPH: &[u8] = include_bytes!("models/graph.keras");
const GRAPH_H5: &[u8] = include_bytes!("models/graph.h5");
const KERAS2: &[u8] = include_bytes!("models/keras2.h5");
const PACKED: &[u8] = include_bytes!("models/packed.h5");
const STAMPS: &[u8] = include_bytes!("models/stamps.keras");

#[test]
fn the_declarations_are_what_one_would_write() {
    scores::declares(&imported(CHAIN), "Chain", include_str!("models/chain.rs"));
    scores::declares(&imported(GRAPH), "Graph", include_str!("models/graph.rs"));
    scores::declares(
        &imported(KERAS2),
        "Keras2",
        include_str!("models/keras2.rs"),
    );
    scores::declares(
        &imported(PACKED),
        "Packed",
        include_str!("models/packed.rs"),
    );
    scores::declares(
        &imported(STAMPS),
        "Stamps",
        include_str!("models/stamps.rs"),
    );
}

/// Of probabilities.
#[test]
fn the_scores_are_those_of_keras() {
    let chain = differs!(Chain, imported(CHAIN), "models/chain.expected.safetensors");
    assert!(chain <= 2e-7, "{chain}");
    let graph = differs!(Graph, imported(GRAPH), "models/graph.expected.safetensors");
    assert!(graph <= 5e-7, "{graph}");
    let older = differs!(
        Keras2,
        imported(KERAS2),
        "models/keras2.expected.safetensors"
    );
    assert!(older <= 2e-7, "{older}");
    // Its weights of 16 bits are exact in both.
    let packed = differs!(
        Packed,
        imported(PACKED),
        "models/packed.expected.safetensors"
    );
    assert!(packed <= 2e-7, "{packed}");
    let stamps = differs!(
        Stamps,
        imported(STAMPS),
        "models/stamps.expected.safetensors"
    );
    assert!(stamps <= 5e-7, "{stamps}");
}

#[test]
fn an_older_file_is_the_same_network() {
    for (new, old) in [(CHAIN, CHAIN_H5), (GRAPH, GRAPH_H5)] {
        let (new, old) = (imported(new), imported(old));
        assert_eq!(new.declaration("Net"), old.declaration("Net"));
        assert_eq!(
            new.weights().expect("a file"),
            old.weights().expect("a file")
        );
    }
}

/// `GRAPH_H5` with a text in it, wherever it stands, as another one that is as long.
fn with(from: &str, to: &str) -> Result<Imported, ImportError> {
    assert_eq!(from.len(), to.len());
    let mut file = GRAPH_H5.to_vec();
    let places = (0..file.len() - from.len()).filter(|&at| file[at..].starts_with(from.as_bytes()));
    let places: Vec<usize> = places.collect();
    assert!(!places.is_empty(), "{from}");
    for at in places {
        file[at..at + to.len()].copy_from_slice(to.as_bytes());
    }
    Imported::from_bytes(&file, &Options::default())
}

#[test]
fn what_is_refused_is_named() {
    let refused = |from: &str, to: &str| -> Vec<[String; 3]> {
        match with(from, to).expect_err(to) {
            ImportError::Refused(all) => all
                .into_iter()
                .map(|it| [it.operator, it.node, it.why])
                .collect(),
            error => panic!("{error}"),
        }
    };
    for (from, to, operator, node, why) in [
        (
            "softplus",
            "softsign",
            "softsign",
            "narrow",
            "--custom softsign=",
        ),
        (
            "\"Cropping2D\"",
            "\"CroppingXD\"",
            "CroppingXD",
            "cropping2d",
            "--custom CroppingXD=",
        ),
        (
            "\"groups\": 2",
            "\"groups\":[]",
            "Conv2D",
            "block1_conv",
            "`groups` is not one whole number",
        ),
        (
            "\"bilinear\"",
            "\"lanczos3\"",
            "UpSampling2D",
            "up_sampling2d_1",
            "`lanczos3`",
        ),
        (
            "\"axis\": [-1], \"epsilon\"",
            "\"axis\": [-2], \"epsilon\"",
            "LayerNormalization",
            "layer_norm",
            "the axes [2] of 4",
        ),
        (
            "\"axis\": [-1], \"epsilon\"",
            "\"axis\":[3,2], \"epsilon\"",
            "LayerNormalization",
            "layer_norm",
            "the axes [2, 3] of 4",
        ),
    ] {
        let refusals = refused(from, to);
        let [[found, at, because]] = refusals.as_slice() else {
            panic!("{refusals:?}");
        };
        assert_eq!([found.as_str(), at], [operator, node]);
        assert!(because.contains(why), "{because}");
    }
    // All of them at once.
    assert_eq!(refused("\"Conv2D\"", "\"Conv3D\"").len(), 7);
}

#[test]
fn a_file_that_is_no_whole_model_says_so() {
    let error = |file: &[u8]| {
        let error = Imported::from_bytes(file, &Options::default()).expect_err("no model");
        error.to_string()
    };
    let no_config = |file: &[u8]| {
        let at = file
            .windows(12)
            .position(|it| it == b"model_config")
            .expect("its name");
        let mut file = file.to_vec();
        file[at..at + 12].copy_from_slice(b"model_konfig");
        file
    };
    assert!(error(&no_config(CHAIN_H5)).contains("`save_weights` does not"));
    let circle = with("[\"re_lu_2\", 0, 0]", "[\"re_lu_3\", 0, 0]").expect_err("a circle");
    assert!(circle.to_string().contains("in a circle"), "{circle}");
}

#[test]
fn a_file_that_is_cut_off_or_damaged_is_no_panic() {
    for model in [CHAIN, CHAIN_H5, GRAPH, GRAPH_H5, KERAS2, PACKED, STAMPS] {
        // At its very end a file may have what nobody reads.
        for end in (0..model.len() * 9 / 10).step_by(model.len() / 40) {
            let cut = Imported::from_bytes(&model[..end], &Options::default());
            assert!(cut.is_err(), "cut off at {end}");
        }
        let mut damaged = model.to_vec();
        for at in (0..model.len()).step_by(model.len() / 200) {
            let byte = std::mem::replace(&mut damaged[at], 0xff);
            // A weight may have changed, or a name: whatever it is, nothing panics.
            _ = Imported::from_bytes(&damaged, &Options::default());
            damaged[at] = byte;
        }
    }
}
