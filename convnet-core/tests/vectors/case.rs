//! The 200 cases, and what it means to be equal to one.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use convnet_core::{Real, Tensor};
use safetensors::{Dtype, SafeTensors};
use serde_json::Value;

/// One case: an operation, its attributes, its tensors.
pub(crate) struct Case {
    pub(crate) id: String,
    pub(crate) op: String,
    attributes: Value,
    tensors: BTreeMap<String, Array>,
}

/// A tensor in row-major order.
pub(crate) struct Array {
    pub(crate) shape: Vec<usize>,
    pub(crate) values: Vec<f64>,
}

/// The case named `id`, `017`.
pub(crate) fn case(id: &str) -> &'static Case {
    let found = CASES.iter().find(|case| case.id == id);
    found.unwrap_or_else(|| panic!("there is no case {id}"))
}

/// The cases of one operation, `conv2d`.
pub(crate) fn cases(op: &str) -> impl Iterator<Item = &'static Case> {
    CASES.iter().filter(move |case| case.op == op)
}

/// A file of `tests/vectors` at the root, from a test of the root's or of this crate.
pub(crate) fn read(name: &str) -> Vec<u8> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = ["../tests/vectors", "tests/vectors"]
        .map(|folder| here.join(folder).join(name))
        .into_iter();
    let path = paths
        .find(|path| path.exists())
        .unwrap_or_else(|| panic!("no file {name}"));
    fs::read(path).unwrap_or_else(|error| panic!("{name}: {error}"))
}

impl Case {
    pub(crate) fn number(&self, name: &str) -> f64 {
        let number = self.attributes[name].as_f64();
        number.unwrap_or_else(|| panic!("case {} has no number {name}", self.id))
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        self.attributes[name].as_bool() == Some(true)
    }

    /// Two numbers; of sizes, rows and columns.
    pub(crate) fn pair(&self, name: &str) -> [f64; 2] {
        let pair = [0, 1].map(|n| self.attributes[name][n].as_f64());
        pair.map(|number| number.unwrap_or_else(|| panic!("case {} has no {name}", self.id)))
    }

    pub(crate) fn has(&self, tensor: &str) -> bool {
        self.tensors.contains_key(tensor)
    }

    pub(crate) fn tensor(&self, name: &str) -> &Array {
        let found = self.tensors.get(name);
        found.unwrap_or_else(|| panic!("case {} has no tensor {name}", self.id))
    }

    pub(crate) fn labels(&self) -> Vec<usize> {
        let labels = self.tensor("target").values.iter();
        labels.map(|&label| label as usize).collect()
    }
}

impl Array {
    /// Row `n` of the first axis, in the precision of `T`.
    pub(crate) fn row<T: Real>(&self, n: usize) -> Vec<T> {
        let len = self.values.len() / self.shape[0];
        of(&self.values[n * len..][..len])
    }

    /// Image `n` of `[N][D][H][W]`, as `[H][W][D]`.
    pub(crate) fn image<T: Real>(&self, n: usize) -> Vec<T> {
        let [_, depth, height, width] = self.shape[..] else {
            panic!("{:?} holds no images", self.shape)
        };
        let slices = self.row::<T>(n);
        let mut image = Vec::with_capacity(slices.len());
        for pixel in 0..height * width {
            image.extend((0..depth).map(|d| slices[d * height * width + pixel]));
        }
        image
    }
}

pub(crate) fn of<T: Real>(values: &[f64]) -> Vec<T> {
    values.iter().map(|&value| T::of(value)).collect()
}

/// Where each scalar of PyTorch's `[k][d][y][x]` lies in `[y][x][d][k]`.
pub(crate) fn places(tensor: &Tensor) -> Vec<usize> {
    let [height, width, depth, filters] = *tensor.shape else {
        return (0..tensor.len()).collect();
    };
    let mut places = Vec::with_capacity(tensor.len());
    for k in 0..filters {
        for d in 0..depth {
            let pixels = 0..height * width;
            places.extend(pixels.map(|pixel| (pixel * depth + d) * filters + k));
        }
    }
    places
}

/// Fails unless `found` is `expected` as closely as `T` should know it: 1e-10 in `f64`, relative to
/// each number; 1e-5 in `f32`, relative to the largest (see the README for why).
pub(crate) fn assert_close<T: Real>(what: &str, found: &[T], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{what}: lengths");
    let single = T::epsilon().widen() > 1e-10;
    let largest = expected.iter().fold(1e-8, |max: f64, y| max.max(y.abs()));
    for (index, (&x, &y)) in found.iter().zip(expected).enumerate() {
        let x = x.widen();
        let (scale, bound) = if single {
            (largest, 1e-5)
        } else {
            ((x.abs() + y.abs()).max(1e-8), 1e-10)
        };
        let error = (x - y).abs() / scale;
        assert!(
            error <= bound,
            "{what}[{index}] is {x}, not {y}: error {error:.1e}"
        );
    }
}

static CASES: LazyLock<Vec<Case>> = LazyLock::new(|| {
    let index: Value = serde_json::from_slice(&read("cases.json")).expect("JSON");
    let file = read("cases.safetensors");
    let file = SafeTensors::deserialize(&file).expect("safetensors");
    let cases = index["cases"].as_array().expect("a list of cases");
    assert_eq!(cases.len(), 200);
    cases.iter().map(|case| parse(case, &file)).collect()
});

fn parse(case: &Value, file: &SafeTensors<'_>) -> Case {
    let text = |name: &str| case[name].as_str().expect("a string").to_owned();
    let id = text("id");
    let names = case["tensors"]
        .as_object()
        .expect("names and shapes")
        .keys();
    let tensors = names.map(|name| (name.clone(), array(file, &format!("{id}.{name}"))));
    Case {
        op: text("op"),
        attributes: case["attrs"].clone(),
        tensors: tensors.collect(),
        id,
    }
}

pub(crate) fn array(file: &SafeTensors<'_>, name: &str) -> Array {
    let view = file
        .tensor(name)
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    let words = view.data().as_chunks::<8>().0.iter();
    let values = match view.dtype() {
        Dtype::F64 => words.map(|&word| f64::from_le_bytes(word)).collect(),
        Dtype::I64 => words.map(|&word| i64::from_le_bytes(word) as f64).collect(),
        other => panic!("{name} is of {other:?}"),
    };
    Array {
        shape: view.shape().to_vec(),
        values,
    }
}
