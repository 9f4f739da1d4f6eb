//! The arrays of a model, in HDF5.
//!
//! ```text
//!  model.keras: layers/conv2d_1/vars/0         the kind of the layer, how many of it there were; the number of the array
//!  model.h5:    model_weights/stem/…/kernel:0  the name of the layer; a list of the paths, which end in the array's name
//! ```

use std::collections::HashMap;

use half::f16;
use hdf5_pure::{DType, Datatype, DatatypeByteOrder, File, Group};

use crate::array::{Array, volume};

/// Where the weights of a layer are.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// In a `.keras` file: `layers/functional/layers/conv2d_1`.
    pub(super) group: String,
    /// In a `.h5` file: the layer, behind the models in which it is.
    pub(super) path: Vec<String>,
}

pub(super) struct Weights {
    file: File,
    is_numbered: bool,
    /// How many values may still be read.
    most: usize,
}

impl Weights {
    pub(super) fn of(file: Vec<u8>) -> Result<Self, String> {
        let most = 2 * file.len();
        let file = File::from_bytes(file)
            .map_err(|error| format!("of HDF5 it has the mark, but {error}"))?;
        let is_numbered = file.group("model_weights").is_err();
        Ok(Self {
            file,
            is_numbered,
            most,
        })
    }

    /// A text that stands at the file itself.
    pub(super) fn attribute(&self, name: &str) -> Option<String> {
        let attributes = self.file.root().attrs().ok()?;
        Some(attributes.get(name)?.as_str()?.to_owned())
    }

    /// The arrays of a layer by their names, which a `.keras` file does not have: there they are `names`, in this
    /// order.
    pub(super) fn of_layer(
        &mut self,
        place: &Place,
        names: &[&str],
    ) -> Result<HashMap<String, Array>, String> {
        let mut arrays = HashMap::new();
        for (name, path) in self.paths(place, names)? {
            let array = self.array(&path)?;
            arrays.insert(name, array);
        }
        Ok(arrays)
    }

    /// The names of arrays, and where they are.
    fn paths(&self, place: &Place, names: &[&str]) -> Result<Vec<(String, String)>, String> {
        if self.is_numbered {
            // Before Keras 3 the folder had another name.
            let old = place
                .group
                .replacen("layers/", "_layer_checkpoint_dependencies/", 1);
            let groups = [&place.group, &old].map(|group| format!("{group}/vars"));
            let found = groups
                .iter()
                .find_map(|path| Some((path, self.file.group(path).ok()?)));
            let Some((path, group)) = found else {
                return Ok(Vec::new());
            };
            let count = group.datasets().map_err(|error| error.to_string())?.len();
            let names = names.iter().take(count).enumerate();
            return Ok(names
                .map(|(at, name)| ((*name).to_owned(), format!("{path}/{at}")))
                .collect());
        }
        let [top, inner @ ..] = place.path.as_slice() else {
            return Ok(Vec::new());
        };
        let path = format!("model_weights/{top}");
        let Ok(group) = self.file.group(&path) else {
            return Ok(Vec::new());
        };
        let own = |listed: &String| {
            let (layer, name) = listed.rsplit_once('/').unwrap_or(("", listed));
            let is_own = match inner.last() {
                None => true,
                Some(inner) => layer == inner || layer.ends_with(&format!("/{inner}")),
            };
            let name = name.split(':').next().unwrap_or(name);
            is_own.then(|| (name.to_owned(), format!("{path}/{listed}")))
        };
        Ok(listed(&group)?.iter().filter_map(own).collect())
    }

    fn array(&mut self, path: &str) -> Result<Array, String> {
        let wrong = |error: hdf5_pure::Error| format!("its weights `{path}` are damaged: {error}");
        let data = self.file.dataset(path).map_err(wrong)?;
        let shape = data.shape().map_err(wrong)?;
        let dims: Option<Vec<usize>> = shape.iter().map(|&it| usize::try_from(it).ok()).collect();
        let len = dims
            .as_deref()
            .and_then(volume)
            .filter(|&len| len <= self.most);
        let (Some(dims), Some(len)) = (dims, len) else {
            return Err(format!(
                "its weights `{path}` are {shape:?} values, more than are in the file"
            ));
        };
        if data.element_size().map_err(wrong)? > 8 {
            return Err(format!("its weights `{path}` are no numbers"));
        }
        let values = match data.dtype().map_err(wrong)? {
            DType::Other(kind) if is_half(&kind) => {
                let raw = data.read_raw().map_err(wrong)?;
                let (all, _) = raw.as_chunks();
                all.iter()
                    .map(|it| f16::from_le_bytes(*it).to_f32())
                    .collect()
            }
            _ => data.read_f32().map_err(wrong)?,
        };
        if values.len() != len {
            return Err(format!(
                "its weights `{path}` are {shape:?} values, and {} are stored",
                values.len()
            ));
        }
        self.most -= len;
        Ok(Array::floats(dims, values))
    }
}

/// float16, which `hdf5_pure` does not make numbers of.
fn is_half(kind: &Datatype) -> bool {
    let Datatype::FloatingPoint {
        size: 2,
        byte_order: DatatypeByteOrder::LittleEndian,
        layout,
    } = kind
    else {
        return false;
    };
    (layout.exponent_size, layout.mantissa_size) == (5, 10)
}

/// `weight_names`; of a list that is too long for one attribute, `weight_names0` and so on.
fn listed(group: &Group) -> Result<Vec<String>, String> {
    let attributes = group.attrs().map_err(|error| error.to_string())?;
    let list = |name: &str| attributes.get(name).and_then(|it| it.as_strings());
    if let Some(list) = list("weight_names") {
        return Ok(list.to_vec());
    }
    let parts = (0..).map_while(|at| list(&format!("weight_names{at}")));
    Ok(parts.flatten().cloned().collect())
}
