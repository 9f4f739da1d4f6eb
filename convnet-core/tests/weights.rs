//! Weight files: what goes out comes in again, what is wrong is named, and changes nothing.
#![cfg(feature = "safetensors")]

mod common {
    pub(crate) mod tiny;
}

use common::tiny::Tiny;
use convnet_core::weights::{self, WeightsError};
use convnet_core::{Parameters, Real, Tensor, parameters};

fn zero<T: Real>() -> Tiny<T> {
    Tiny {
        filters: [[[[T::ZERO; 2]; 2]; 3]; 2],
        bias: [T::ZERO; 2],
    }
}

/// Scalars 0, 1, 2 … in memory order, the bias last.
fn counting<T: Real>() -> Tiny<T> {
    let mut net = zero();
    let mut next = 0.0;
    for index in 0..2 {
        for scalar in net.tensor_mut(index) {
            *scalar = T::of(next);
            next += 1.0;
        }
    }
    net
}

/// A file as the format's specification writes it: length, JSON, scalars.
fn file(json: &str, scalars: &[u8]) -> Vec<u8> {
    [
        &(json.len() as u64).to_le_bytes()[..],
        json.as_bytes(),
        scalars,
    ]
    .concat()
}

fn floats(values: impl IntoIterator<Item = u8>) -> Vec<u8> {
    values
        .into_iter()
        .flat_map(|value| f32::from(value).to_le_bytes())
        .collect()
}

/// Reads `bytes`, which must fail and change nothing.
fn refuse(bytes: &[u8]) -> WeightsError {
    let mut net = counting::<f32>();
    let error = weights::from_bytes(&mut net, bytes).expect_err("the file is bad");
    assert_eq!(net, counting(), "{error}");
    error
}

const SHAPES: &str = r#""conv1.bias":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},
    "conv1.filters":{"dtype":"F32","shape":[2,3,2,2],"data_offsets":[8,104]}"#;

#[test]
fn a_network_comes_back_as_it_was() {
    fn check<T: Real>() {
        let bytes = weights::to_bytes(&counting::<T>()).unwrap();
        let mut net = zero::<T>();
        weights::from_bytes(&mut net, &bytes).unwrap();
        assert_eq!(net, counting());
    }
    check::<f32>();
    check::<f64>();
}

#[test]
fn the_file_is_what_the_format_says() {
    let bytes = weights::to_bytes(&counting::<f32>()).unwrap();
    let data = bytes.len() - 26 * 4;
    assert_eq!(data % 64, 0);
    assert_eq!(bytes[..8], (data as u64 - 8).to_le_bytes());
    let json = core::str::from_utf8(&bytes[8..data]).unwrap();
    assert!(json.contains(r#""conv1.bias":{"dtype":"F32","shape":[2],"data_offsets":[96,104]}"#));
    assert_eq!(bytes[data..], floats(0..26));
}

#[test]
fn tensors_may_come_in_any_order_at_any_address() {
    let good = file(
        &format!("{{{SHAPES}}}"),
        &floats([24, 25].into_iter().chain(0..24)),
    );
    for shift in 0..4 {
        let shifted = [&vec![0; shift][..], &good].concat();
        let mut net = zero::<f32>();
        weights::from_bytes(&mut net, &shifted[shift..]).unwrap();
        assert_eq!(net, counting::<f32>());
    }
}

#[test]
fn a_missing_tensor_is_named() {
    let json = r#"{"conv1.bias":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#;
    let error = refuse(&file(json, &floats([7, 7])));
    assert!(matches!(&error, WeightsError::Missing { tensor, found }
        if tensor == "conv1.filters" && found == &["conv1.bias"]));
    assert!(
        error
            .to_string()
            .starts_with("the file has no tensor `conv1.filters`; it holds `conv1.bias`\n")
    );
}

#[test]
fn an_extra_tensor_is_named() {
    let json = format!(
        r#"{{{SHAPES},"conv2.bias":{{"dtype":"F32","shape":[1],"data_offsets":[104,108]}}}}"#
    );
    let error = refuse(&file(&json, &floats([7; 27])));
    assert!(matches!(&error, WeightsError::Extra { tensor, .. } if tensor == "conv2.bias"));
}

#[test]
fn another_shape_is_named() {
    let json = format!("{{{}}}", SHAPES.replace("[2,3,2,2]", "[3,2,2,2]"));
    let error = refuse(&file(&json, &floats([7; 26])));
    assert!(
        matches!(&error, WeightsError::Shape { tensor, expected, found }
        if tensor == "conv1.filters" && expected == &[2, 3, 2, 2] && found == &[3, 2, 2, 2])
    );
    assert!(
        error
            .to_string()
            .contains("[3, 2, 2, 2]; the network's is [2, 3, 2, 2]")
    );
}

#[test]
fn another_scalar_is_named() {
    let error = refuse(&weights::to_bytes(&counting::<f64>()).unwrap());
    assert!(
        matches!(&error, WeightsError::Dtype { tensor, expected, found }
        if tensor == "conv1.filters" && expected == "F32" && found == "F64")
    );
}

#[test]
fn a_value_that_is_no_number_is_named_and_never_saved() {
    let mut bytes = weights::to_bytes(&counting::<f32>()).unwrap();
    let at = bytes.len() - 26 * 4 + 13 * 4;
    bytes[at..at + 4].copy_from_slice(&f32::NEG_INFINITY.to_le_bytes());
    let error = refuse(&bytes);
    assert!(
        matches!(&error, WeightsError::NotFinite { tensor, index: 13, value }
        if tensor == "conv1.filters" && *value == f64::NEG_INFINITY)
    );

    let mut net = counting::<f64>();
    net.bias[1] = f64::NAN;
    let error = weights::to_bytes(&net).unwrap_err();
    assert!(
        matches!(&error, WeightsError::NotFinite { tensor, index: 1, .. }
        if tensor == "conv1.bias")
    );
}

#[test]
fn every_cut_and_any_tail_is_refused() {
    let whole = weights::to_bytes(&counting::<f32>()).unwrap();
    for length in 0..whole.len() {
        let error = refuse(&whole[..length]);
        assert!(
            matches!(error, WeightsError::Length { found, expected }
            if found == length as u64 && expected <= whole.len() as u64),
            "{length}: {error}"
        );
        assert!(error.to_string().contains("cut short"));
    }
    let error = refuse(&[&whole[..], b"tail"].concat());
    assert!(matches!(error, WeightsError::Length { found, expected } if found == expected + 4));
}

#[test]
fn what_is_no_safetensors_file_is_told_so() {
    for bytes in [
        &b"PK\x03\x04 a zip, as torch.save writes"[..],
        &file("[1, 2]", b""),
        &file("{", b""),
    ] {
        let error = refuse(bytes);
        assert!(matches!(error, WeightsError::Corrupt { .. }), "{error}");
    }
}

/// ```python
/// w = np.arange(24).reshape(2, 2, 2, 3)    # K, D, H, W
/// w.transpose(2, 3, 1, 0).ravel().tolist() # H, W, D, K
/// ```
const PERMUTED: [u8; 24] = [
    0, 12, 6, 18, 1, 13, 7, 19, 2, 14, 8, 20, 3, 15, 9, 21, 4, 16, 10, 22, 5, 17, 11, 23,
];

#[test]
fn pytorchs_axes_become_ours() {
    for shape in ["[2,2,2,3]", "[2,12]"] {
        let json = format!(
            r#"{{"features.0.weight":{{"dtype":"F32","shape":{shape},"data_offsets":[0,96]}},
                "features.0.bias":{{"dtype":"F32","shape":[2],"data_offsets":[96,104]}}}}"#
        );
        let bytes = file(&json, &floats(0..26));
        let mut net = zero::<f32>();
        weights::from_pytorch(&mut net, &bytes, &[("conv1", "features.0")]).unwrap();
        assert_eq!(net.tensor(0), PERMUTED.map(f32::from));
        assert_eq!(net.bias, [24.0, 25.0]);

        let error = weights::from_pytorch(&mut net, &bytes, &[]).unwrap_err();
        assert!(matches!(&error, WeightsError::Unmapped { tensor, ours, .. }
            if tensor == "conv1.weight" && ours == "conv1.filters"));
        let error = weights::from_pytorch(&mut net, &bytes, &[("conv", "features.0")]).unwrap_err();
        assert!(
            matches!(&error, WeightsError::UnknownLayer { layer, expected }
            if layer == "conv" && expected == &["conv1"])
        );
    }
}

parameters! {
    /// Two tensors of one role, as `t` of a network.
    struct Own<T> {
        gamma: Gain [3],
        delta: Gain [3],
    }
}

/// [`Own`] under the names that it has in a network.
struct InNetwork(Own<f32>);

#[expect(unsafe_code, reason = "by hand: zeros are parameters")]
// SAFETY: scalars, which are zeroable.
unsafe impl bytemuck::Zeroable for InNetwork {}

impl Parameters for InNetwork {
    type Scalar = f32;
    const TENSORS: &'static [Tensor] = &[
        Tensor {
            name: "t.gamma",
            ..Own::<f32>::TENSORS[0]
        },
        Tensor {
            name: "t.delta",
            ..Own::<f32>::TENSORS[1]
        },
    ];

    fn tensor(&self, index: usize) -> &[f32] {
        self.0.tensor(index)
    }

    fn tensor_mut(&mut self, index: usize) -> &mut [f32] {
        self.0.tensor_mut(index)
    }
}

#[test]
fn a_tensor_of_the_file_fills_one_of_the_network() {
    let one = r#"{"t.weight":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}}"#;
    let mut net = InNetwork(Own::ZERO);
    let error = weights::from_pytorch(&mut net, &file(one, &floats(1..4)), &[]).unwrap_err();
    assert!(matches!(&error, WeightsError::FilledTwice { tensor, ours }
        if tensor == "t.weight" && ours == &["t.gamma", "t.delta"]));
    let message = error.to_string();
    assert!(message.ends_with(r#"in the mapping: ("t.gamma", …), ("t.delta", …)"#));

    let two = r#"{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,12]},
        "t.weight":{"dtype":"F32","shape":[3],"data_offsets":[12,24]}}"#;
    let bytes = file(two, &floats(1..7));
    weights::from_pytorch(&mut net, &bytes, &[("t.delta", "a")]).unwrap();
    assert_eq!(
        [net.0.gamma, net.0.delta],
        [[4.0, 5.0, 6.0], [1.0, 2.0, 3.0]]
    );

    // Under their own names, and with one of them by its role.
    for (names, expected) in [
        (["t.delta", "t.gamma"], [[4.0, 5.0, 6.0], [1.0, 2.0, 3.0]]),
        (["t.delta", "t.weight"], [[4.0, 5.0, 6.0], [1.0, 2.0, 3.0]]),
        (["t.gamma", "t.delta"], [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]),
    ] {
        let own = two
            .replace("\"a\"", &format!("{:?}", names[0]))
            .replace("\"t.weight\"", &format!("{:?}", names[1]));
        weights::from_pytorch(&mut net, &file(&own, &floats(1..7)), &[]).unwrap();
        assert_eq!([net.0.gamma, net.0.delta], expected, "{names:?}");
    }

    // Two layers that are one in the file, by a slip.
    let names = [("t.gamma", "a"), ("t.delta", "a")];
    let error = weights::from_pytorch(&mut net, &bytes, &names).unwrap_err();
    assert!(matches!(error, WeightsError::FilledTwice { .. }), "{error}");
}

#[test]
fn a_mapping_names_a_layer_once() {
    let bytes = weights::to_bytes(&counting::<f32>()).unwrap();
    let names = [("conv1", "features.0"), ("conv1", "conv1")];
    let error = weights::from_pytorch(&mut zero::<f32>(), &bytes, &names).unwrap_err();
    assert!(matches!(&error, WeightsError::MappedTwice { name } if name == "conv1"));
    assert!(
        error
            .to_string()
            .starts_with("the mapping names `conv1` twice\n")
    );
}

#[test]
fn a_bias_on_one_side_only_is_told_apart() {
    let json = r#"{"conv1.weight":{"dtype":"F32","shape":[2,2,2,3],"data_offsets":[0,96]}}"#;
    let error = weights::from_pytorch(&mut zero::<f32>(), &file(json, &floats(0..24)), &[]);
    let error = error.unwrap_err().to_string();
    assert!(error.contains(r#"say `.absent("conv1.bias")`"#), "{error}");

    let json = r#"{"mix.weight":{"dtype":"F32","shape":[2,2,1,1],"data_offsets":[0,16]},
        "mix.bias":{"dtype":"F32","shape":[2],"data_offsets":[16,24]}}"#;
    parameters! {
        struct Mix<T> {
            mix: Filters [1, 1, 2, 2],
        }
    }
    let mut mix = Mix::<f32>::ZERO;
    let error = weights::from_pytorch(&mut mix, &file(json, &floats(0..6)), &[]);
    let error = error.unwrap_err().to_string();
    assert!(error.contains("leave out `bias = none`"), "{error}");
    assert!(error.contains("computes something else"), "{error}");
}

#[test]
fn pytorchs_shape_is_expected_in_its_own_axes() {
    for (found, expected) in [("[2,3,2,2]", &[2, 2, 2, 3][..]), ("[12,2]", &[2, 12])] {
        let json = format!(
            r#"{{"conv1.weight":{{"dtype":"F32","shape":{found},"data_offsets":[0,96]}},
                "conv1.bias":{{"dtype":"F32","shape":[2],"data_offsets":[96,104]}}}}"#
        );
        let mut net = counting::<f32>();
        let error =
            weights::from_pytorch(&mut net, &file(&json, &floats([9; 26])), &[]).unwrap_err();
        assert!(matches!(&error, WeightsError::Shape { expected: shape, .. } if shape == expected));
        assert_eq!(net, counting());
    }
}

#[cfg(feature = "std")]
mod paths {
    use super::*;
    use std::fs;
    use std::path::PathBuf;

    fn folder(name: &str) -> PathBuf {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn a_file_is_replaced_and_nothing_is_left_beside_it() {
        let folder = folder("replaced");
        let path = folder.join("net.safetensors");
        fs::write(&path, "old").unwrap();
        weights::save(&counting::<f32>(), &path).unwrap();
        let mut net = zero::<f32>();
        weights::load(&mut net, &path).unwrap();
        assert_eq!(net, counting());
        assert_eq!(fs::read(&path).unwrap(), weights::to_bytes(&net).unwrap());
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    }

    #[test]
    fn a_save_that_fails_leaves_the_old_file() {
        let folder = folder("failed");
        let path = folder.join("net.safetensors");
        weights::save(&counting::<f32>(), &path).unwrap();
        // A folder in the way of the file beside makes writing fail.
        fs::create_dir(folder.join("net.safetensors.tmp")).unwrap();
        let error = weights::save(
            &Tiny {
                bias: [9.0; 2],
                ..counting()
            },
            &path,
        )
        .unwrap_err();
        assert!(matches!(&error, WeightsError::Io { path: named, .. } if *named == path));
        assert_eq!(
            fs::read(&path).unwrap(),
            weights::to_bytes(&counting::<f32>()).unwrap()
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_is_read_and_a_device_without_end_refused() {
        use std::process::Command;

        let mut net = zero::<f32>();
        let error = weights::load(&mut net, "/dev/zero").unwrap_err();
        assert!(matches!(error, WeightsError::Corrupt { .. }), "{error}");
        let error = weights::load_pytorch(&mut net, "/dev/zero", &[]).unwrap_err();
        assert!(matches!(error, WeightsError::Corrupt { .. }), "{error}");

        let pipe = folder("pipe").join("net.safetensors");
        assert!(
            Command::new("mkfifo")
                .arg(&pipe)
                .status()
                .unwrap()
                .success()
        );
        let bytes = weights::to_bytes(&counting::<f32>()).unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| fs::write(&pipe, bytes).unwrap());
            weights::load(&mut net, &pipe).unwrap();
        });
        assert_eq!(net, counting());
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let path = folder("absent").join("net.safetensors");
        let error = weights::load(&mut counting::<f32>(), &path).unwrap_err();
        assert!(error.to_string().contains("net.safetensors"), "{error}");
        let error = weights::load_pytorch(&mut counting::<f32>(), &path, &[]).unwrap_err();
        assert!(matches!(error, WeightsError::Io { .. }));
    }
}
