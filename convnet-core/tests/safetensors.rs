//! One grammar of weight files: the program and the compiler take the same files, and refuse the
//! others with the same words.
#![cfg(feature = "safetensors")]

use convnet_core::weights::{self, WeightsError};
use convnet_core::{Parameters, Role, Tensor, flash, parameters};
use safetensors::SafeTensors;

parameters! {
    struct Two<T> {
        gamma: Gain [2],
        beta: Bias [2],
    }
}

const GAMMA: &str = r#""gamma":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}"#;
const BETA: &str = r#""beta":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}"#;

/// The length of `header`, `header`, and the scalars 1, 2, 3 … in `length` bytes.
fn file(header: impl AsRef<[u8]>, length: usize) -> Vec<u8> {
    let header = header.as_ref();
    let scalars = (1..).flat_map(|value: u32| (value as f32).to_le_bytes());
    let length_of_header = (header.len() as u64).to_le_bytes();
    let scalars: Vec<u8> = scalars.take(length).collect();
    [&length_of_header[..], header, &scalars].concat()
}

/// `gamma` and `beta`, with `from` replaced.
fn changed(from: &str, to: &str) -> Vec<u8> {
    let header = format!("{{{GAMMA},{BETA}}}");
    assert_eq!(header.matches(from).count(), 1, "{from}");
    file(header.replace(from, to), 16)
}

/// `gamma` and `beta`, and another tensor.
fn and(other: &str, length: usize) -> Vec<u8> {
    file(format!("{{{GAMMA},{BETA},{other}}}"), length)
}

/// What both readers make of `bytes`.
fn read(bytes: &[u8]) -> Result<[f32; 4], String> {
    let mut loaded = Two::<f32>::ZERO;
    let program = weights::from_bytes(&mut loaded, bytes).map(|()| loaded);
    let compiler = flash::read::<Two<f32>>(bytes);
    let all = |two: Two<f32>| [two.gamma, two.beta].concat().try_into().unwrap();
    let program = program.map(all).map_err(|error| error.to_string());
    let compiler = compiler.map(all).map_err(|error| error.as_str().to_owned());
    assert_eq!(program, compiler);
    if SafeTensors::deserialize(bytes).is_err() {
        assert!(program.is_err(), "the reference refuses it");
    }
    program
}

#[test]
fn every_spelling_of_a_sound_header_is_read() {
    for header in [
        format!("{{{GAMMA},{BETA}}}"),
        format!("{{{BETA},{GAMMA}}}"),
        format!("{{{GAMMA},{BETA}}}  \n "),
        format!(r#"{{"__metadata__":{{"a":"}}, \"b\": [","c":"é\n\u00e9\ud83d\ude00"}},{GAMMA},{BETA}}}"#),
        format!(r#"{{{GAMMA},"__metadata__":{{}},{BETA}}}"#),
        format!(r#"{{{GAMMA},{BETA},"\u005f_metadata__":{{}}}}"#),
        // Names with escapes.
        format!("{{{GAMMA},{BETA}}}").replace("gamma", r"g\u0061mm\u0061"),
        format!("{{{GAMMA},{BETA}}}").replace("dtype", r"\u0064type").replace("F32", r"F3\u0032"),
        // Spaces, another order of the keys, keys of another version.
        r#"{ "gamma" : { "data_offsets" : [ 0 , 8 ] ,
             "shape" : [ 2 ] , "more" : [[1.5e+3, -0], {"a": {}, "b": [null, true]}, ""], "dtype" : "F32" } ,
             "beta":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}} "#
            .into(),
    ] {
        assert_eq!(read(&file(&header, 16)), Ok([1.0, 2.0, 3.0, 4.0]), "{header}");
    }
    // The other way round in the data.
    let other = format!("{{{GAMMA},{BETA}}}").replace("[0,8]", "[8,16]");
    let other = other.replacen("[8,16]}}", "[0,8]}}", 1);
    assert_eq!(read(&file(&other, 16)), Ok([3.0, 4.0, 1.0, 2.0]), "{other}");
}

/// Bytes, and what the refusal has to say.
fn refused() -> Vec<(Vec<u8>, &'static str)> {
    let deep = |depth| {
        format!(
            r#""dtype":"F32","x":{}1{}"#,
            "[".repeat(depth),
            "]".repeat(depth)
        )
    };
    let whole = file(format!("{{{GAMMA},{BETA}}}"), 16);
    let length = |header: u64| [&header.to_le_bytes()[..], b"{}"].concat();
    vec![
        // Places.
        (
            changed("[8,16]", "[0,8]"),
            "` shares bytes with another tensor",
        ),
        (
            changed("[8,16]", "[4,12]"),
            "` shares bytes with another tensor",
        ),
        (
            file(
                format!("{{{GAMMA},{BETA}}}").replace("[8,16]", "[12,20]"),
                20,
            ),
            "`beta` begins behind bytes of no tensor",
        ),
        (
            file(
                format!("{{{GAMMA},{BETA}}}").replace("[0,8]", "[16,24]"),
                24,
            ),
            "`beta` begins behind bytes of no tensor",
        ),
        (
            changed("[8,16]", "[8,12]"),
            "`beta` has a place that is not as long as its shape says",
        ),
        (
            changed("[8,16]", "[16,8]"),
            "`beta` has a place that is not as long as its shape says",
        ),
        (
            changed("[8,16]", "[18446744073709551608,18446744073709551615]"),
            "`beta` has a place that is not as long as its shape says",
        ),
        (
            file(format!("{{{GAMMA},{BETA}}}"), 20),
            "bytes where its header promises",
        ),
        (
            and(
                r#""e":{"dtype":"F32","shape":[0],"data_offsets":[4,4]}"#,
                16,
            ),
            "`e` shares bytes with",
        ),
        (
            and(
                r#""e":{"dtype":"F32","shape":[0],"data_offsets":[20,20]}"#,
                16,
            ),
            "`e` begins behind",
        ),
        (
            and(
                r#""e":{"dtype":"F32","shape":[3,0],"data_offsets":[8,8]}"#,
                16,
            ),
            "has a tensor `e`",
        ),
        // Lengths.
        (whole[..0].to_vec(), "cut short: it has 0 bytes of 8"),
        (whole[..7].to_vec(), "cut short: it has 7 bytes of 8"),
        (whole[..40].to_vec(), "cut short: it has 40 bytes of"),
        (whole[..whole.len() - 1].to_vec(), "cut short"),
        (length(u64::MAX), "it begins with no length of a header"),
        (length(100_000_001), "it begins with no length of a header"),
        (
            length(100_000_000),
            "cut short: it has 10 bytes of 100000008",
        ),
        (
            b"PK\x03\x04 a zip, as torch.save writes".to_vec(),
            "it is a pickle, as `torch.save` writes it\npython3 -c \"import torch",
        ),
        // Keys twice.
        (and(GAMMA, 16), "two tensors are called `gamma`"),
        (
            and(
                r#""g\u0061mma":{"dtype":"F32","shape":[2],"data_offsets":[16,24]}"#,
                24,
            ),
            "two tensors are called `gamma`",
        ),
        (
            changed(r#""beta":{"#, r#""beta":{"dtype":"F32","#),
            "`beta` has its `dtype`, `shape` or",
        ),
        (
            changed(r#""beta":{"#, r#""beta":{"shape":[2],"#),
            "`beta` has its `dtype`, `shape` or",
        ),
        (
            changed(r#""beta":{"#, r#""beta":{"data_offsets":[8,16],"#),
            "`beta` has its `dtype`, `shape` or `data_offsets` twice",
        ),
        (
            and(r#""__metadata__":{},"__metadata__":{}"#, 16),
            "two tensors are called `__metadata__`",
        ),
        // Keys missing.
        (
            and(r#""e":{"dtype":"F32","shape":[0]}"#, 16),
            "`e` has no `dtype`, `shape` or",
        ),
        (
            and(r#""e":{}"#, 16),
            "`e` has no `dtype`, `shape` or `data_offsets`",
        ),
        // Numbers.
        (
            changed(
                r#""beta":{"dtype":"F32","shape":[2]"#,
                r#""beta":{"dtype":"F32","shape":[02]"#,
            ),
            "0",
        ),
        (
            changed("[8,16]", "[8,016]"),
            "expected no number that begins with 0",
        ),
        (changed("[8,16]", "[8,16.0]"), "expected `]`"),
        (changed("[8,16]", "[8,1.6e1]"), "expected `]`"),
        (changed("[8,16]", "[-8,16]"), "expected a whole number"),
        (changed("[8,16]", "[8]"), "expected `,`"),
        (changed("[8,16]", "[8,16,24]"), "expected `]`"),
        (
            changed("[8,16]", "[8,99999999999999999999999]"),
            "expected a smaller number",
        ),
        (
            and(
                r#""e":{"dtype":"F32","shape":[4294967296,4294967296,4294967296],"data_offsets":[16,16]}"#,
                16,
            ),
            "`e` has a shape of too many scalars",
        ),
        // Dtypes.
        (
            changed(r#""beta":{"dtype":"F32""#, r#""beta":{"dtype":"F31""#),
            "a `dtype` that is none",
        ),
        (
            changed(r#""beta":{"dtype":"F32""#, r#""beta":{"dtype":32"#),
            "expected a string",
        ),
        (
            and(
                r#""e":{"dtype":"F4","shape":[3],"data_offsets":[16,17]}"#,
                17,
            ),
            "`e` has a place that is not as long as its shape says",
        ),
        // JSON.
        (
            file(format!("{{{GAMMA},{BETA}}} x"), 16),
            "expected the end at byte",
        ),
        (
            file(format!(" {{{GAMMA},{BETA}}}"), 16),
            "expected `{` at byte 0",
        ),
        (
            file(format!("{{{GAMMA},{BETA}"), 16),
            "expected `,` or `}` at byte",
        ),
        (
            file(format!("{{{GAMMA},{BETA},}}"), 16),
            "expected a string at byte",
        ),
        (
            file(format!("{{{GAMMA} {BETA}}}"), 16),
            "expected `,` or `}` at byte",
        ),
        (file("[1, 2]", 0), "expected `{` at byte 0"),
        (file("", 0), "expected `{` at byte 0"),
        (file("{", 0), "expected a string at byte 1"),
        (file("null", 0), "expected `{`"),
        (and(r#""__metadata__":{"a":1}"#, 16), "expected a string"),
        (and(r#""__metadata__":["a"]"#, 16), "expected `{`"),
        (and(r#""__metadata__":null"#, 16), "expected `{`"),
        (
            changed(
                r#""dtype":"F32","shape":[2],"data_offsets":[8,16]"#,
                &deep(128),
            ),
            "fewer brackets",
        ),
        (
            changed(
                r#""dtype":"F32","shape":[2],"data_offsets":[8,16]"#,
                &deep(127),
            ),
            "`beta` has no",
        ),
        (and(r#""e":{"x":[1}}"#, 16), "expected `,` or `]`"),
        (and(r#""e":{"x":01}"#, 16), "expected `,` or `}`"),
        (and(r#""e":{"x":nul}"#, 16), "expected a value"),
        (and(r#""e":{"x":-}"#, 16), "expected a value"),
        (and(r#""e":{"x":1.}"#, 16), "expected a value"),
        (and(r#""e":{"x":}"#, 16), "expected a value"),
        // Text.
        (
            changed(r#""beta""#, r#""be\ta""#),
            "it holds `be\ta`, `gamma`",
        ),
        (changed(r#""beta""#, "\"be\ta\""), "expected `\"`"),
        (
            changed(r#""beta""#, r#""be\xa""#),
            "expected an escape of JSON",
        ),
        (
            changed(r#""beta""#, r#""bet\u00e""#),
            "expected an escape of JSON",
        ),
        (
            changed(r#""beta""#, r#""bet\ud83d""#),
            "expected an escape of JSON",
        ),
        (
            changed(r#""beta""#, r#""bet\ude00\ud83d""#),
            "expected an escape of JSON",
        ),
        (
            changed(r#""beta""#, r#""bet\"#),
            "expected an escape of JSON",
        ),
        (file(b"{\"\xff\":{}}", 0), "its header is not UTF-8"),
        (file(b"{\"\xc3\":{}}", 0), "its header is not UTF-8"),
        (
            changed(r#""beta""#, "\"b\u{ea}ta\""),
            "has no tensor `beta`; it holds `b\u{ea}ta`, `gamma`",
        ),
        // Tensors of another network.
        (
            file(format!("{{{GAMMA}}}"), 8),
            "has no tensor `beta`; it holds `gamma`",
        ),
        (file("{}", 0), "has no tensor `gamma`; it holds none"),
        (
            changed(
                r#""shape":[2],"data_offsets":[8,16]"#,
                r#""shape":[1,2],"data_offsets":[8,16]"#,
            ),
            "[1, 2]",
        ),
        (
            changed(
                r#""shape":[2],"data_offsets":[8,16]"#,
                r#""shape":[],"data_offsets":[8,12]"#,
            ),
            "",
        ),
        (
            file(
                format!("{{{GAMMA},{BETA}}}")
                    .replace("2],\"data_offsets\":[8,16", "],\"data_offsets\":[8,12"),
                12,
            ),
            "has the shape []; the network's is [2]",
        ),
        (
            file(
                format!("{{{GAMMA},{BETA}}}").replace(
                    "\"F32\",\"shape\":[2],\"data_offsets\":[8,16",
                    "\"I16\",\"shape\":[2],\"data_offsets\":[8,12",
                ),
                12,
            ),
            "`beta` is made of I16; the network's scalars are F32",
        ),
    ]
}

#[test]
fn what_the_format_forbids_is_refused_by_both_with_the_same_words() {
    for (bytes, reason) in refused() {
        let error = read(&bytes).expect_err(reason);
        assert!(error.contains(reason), "{reason}\n{error}");
    }
}

/// What is missing or too much is answered alike, in a network whose tensors have layers.
#[test]
fn hints_are_the_same() {
    struct Layer([f32; 2], [f32; 1]);
    #[expect(
        unsafe_code,
        reason = "by hand: zeros are a layer, and where its tensors lie"
    )]
    // SAFETY: scalars, which are zeroable.
    unsafe impl bytemuck::Zeroable for Layer {}
    impl Parameters for Layer {
        type Scalar = f32;
        const TENSORS: &'static [Tensor] = &[
            Tensor {
                name: "conv1.filters",
                role: Role::Filters,
                shape: &[1, 1, 2, 1],
            },
            Tensor {
                name: "conv2.bias",
                role: Role::Bias,
                shape: &[1],
            },
        ];
        fn tensor(&self, index: usize) -> &[f32] {
            if index == 0 { &self.0 } else { &self.1 }
        }
        fn tensor_mut(&mut self, index: usize) -> &mut [f32] {
            if index == 0 { &mut self.0 } else { &mut self.1 }
        }
    }
    #[expect(
        unsafe_code,
        reason = "by hand: zeros are a layer, and where its tensors lie"
    )]
    // SAFETY: both tensors are fields.
    unsafe impl flash::InFlash for Layer {
        const OFFSETS: &'static [usize] = &[
            core::mem::offset_of!(Layer, 0),
            core::mem::offset_of!(Layer, 1),
        ];
    }
    let entry = |name: &str, shape: &str, from: usize, until: usize| {
        format!(r#""{name}":{{"dtype":"F32","shape":{shape},"data_offsets":[{from},{until}]}}"#)
    };
    let filters = entry("conv1.filters", "[1,1,2,1]", 0, 8);
    let mut many: Vec<String> = (0..10)
        .map(|it| entry(&format!("x{it}"), "[1]", 4 * it, 4 * it + 4))
        .collect();
    many.push(entry("conv1.filtros", "[1]", 40, 44));
    many.push(entry("\\u0063onv1.filter", "[1]", 44, 48));
    for (header, length, hint) in [
        (filters.clone(), 8, "or name its layers as the file does"),
        (
            many.join(","),
            48,
            "it holds `conv1.filter`, `conv1.filtros`, `x0`, `x1`, `x2`, `x3`, `x4`, `x5` and 4 more",
        ),
        (
            entry("conv1.weight", "[1,1,2,1]", 0, 8),
            8,
            "these are PyTorch's names",
        ),
        (
            format!("{filters},{}", entry("conv2.filters", "[1,1,1,1]", 8, 12)),
            12,
            "is declared with `bias = none`; where another layer",
        ),
        (
            [
                &filters,
                &*entry("conv2.bias", "[1]", 8, 12),
                &*entry("conv1.bias", "[1]", 12, 16),
            ]
            .join(","),
            16,
            "leave out `bias = none`",
        ),
        (
            [
                &filters,
                &*entry("conv2.bias", "[1]", 8, 12),
                &*entry("conv3.bias", "[1]", 12, 16),
            ]
            .join(","),
            16,
            "or declare what the tensor belongs to",
        ),
    ] {
        let bytes = file(format!("{{{header}}}"), length);
        let error = weights::from_bytes(&mut Layer([0.0; 2], [0.0]), &bytes).unwrap_err();
        let compiler = flash::read::<Layer>(&bytes).err().unwrap();
        assert_eq!(error.to_string(), compiler.as_str());
        assert!(compiler.as_str().contains(hint), "{compiler}");
    }
}

#[test]
fn every_cut_and_every_flipped_bit_gives_both_the_same_answer() {
    let whole = file(
        format!(r#"{{"__metadata__":{{"a":"b"}},{GAMMA},{BETA}}}"#),
        16,
    );
    for length in 0..whole.len() {
        read(&whole[..length]).unwrap_err();
    }
    for bit in 0..8 * (whole.len() - 16) {
        let mut flipped = whole.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let _ = read(&flipped);
    }
}

#[test]
fn a_damaged_header_is_a_typed_error() {
    for bytes in [changed("[8,16]", "[0,8]"), and(GAMMA, 16), file("{", 0)] {
        let mut two = Two::<f32>::ZERO;
        let error = weights::from_bytes(&mut two, &bytes).unwrap_err();
        assert!(matches!(error, WeightsError::Corrupt { .. }), "{error:?}");
    }
}

/// As many tensors as a checkpoint has, in an order that makes sorting work.
#[test]
fn a_file_of_very_many_tensors_is_checked_at_once() {
    let count = 100_000;
    let entry = |i: usize| {
        let at = 4 * (i * 7919 % count);
        format!(
            r#""t{i}":{{"dtype":"F32","shape":[1],"data_offsets":[{at},{}]}}"#,
            at + 4
        )
    };
    let header: Vec<String> = (0..count).map(entry).collect();
    let bytes = file(format!("{{{}}}", header.join(",")), 4 * count);
    let mut two = Two::<f32>::ZERO;
    let error = weights::from_bytes(&mut two, &bytes).unwrap_err();
    assert!(matches!(&error, WeightsError::Missing { found, .. } if found.len() == count));
    let error = flash::read::<Two<f32>>(&bytes).err().unwrap();
    assert!(
        error
            .as_str()
            .starts_with("the file has more than the 8192 tensors"),
        "{error}"
    );
}
