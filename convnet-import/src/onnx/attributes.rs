//! The attributes of a node.

use convnet_onnx::proto::{Attribute, Node};

/// Those of one node.
#[derive(Clone, Copy)]
pub(super) struct Attributes<'a>(&'a Node);

impl<'a> Attributes<'a> {
    /// Those of a node that may have `known`; another one might mean anything.
    pub(super) fn of(node: &'a Node, known: &[&str]) -> Result<Self, String> {
        let unknown = |it: &&Attribute| !known.contains(&it.name.as_str());
        match node.attribute.iter().find(unknown) {
            None => Ok(Self(node)),
            Some(it) => Err(format!("its attribute `{}` is not known", it.name)),
        }
    }

    fn get(self, name: &str) -> Option<&'a Attribute> {
        self.0.attribute.iter().find(|it| it.name == name)
    }

    pub(super) fn int(self, name: &str, default: i64) -> i64 {
        self.get(name).map_or(default, |it| it.i)
    }

    pub(super) fn float(self, name: &str, default: f32) -> f32 {
        self.get(name).map_or(default, |it| it.f)
    }

    pub(super) fn text(self, name: &str) -> Option<&'a str> {
        self.get(name)
            .and_then(|it| std::str::from_utf8(&it.s).ok())
    }

    pub(super) fn ints(self, name: &str) -> Option<&'a [i64]> {
        self.get(name).map(|it| it.ints.as_slice())
    }

    pub(super) fn floats(self, name: &str) -> Option<&'a [f32]> {
        self.get(name).map(|it| it.floats.as_slice())
    }

    pub(super) fn tensor(self, name: &str) -> Option<&'a convnet_onnx::proto::Tensor> {
        self.get(name).and_then(|it| it.t.as_ref())
    }

    /// Whole numbers, one an axis; `default` for both if there are none.
    pub(super) fn pair(self, name: &str, default: usize) -> Result<[usize; 2], String> {
        let Some(ints) = self.ints(name) else {
            return Ok([default; 2]);
        };
        match ints {
            &[down, across] => sizes([down, across]),
            _ => Err(format!(
                "`{name}` is {ints:?}: a volume has two axes, height and width"
            )),
        }
    }
}

/// Sizes, none of which is negative.
pub(super) fn sizes<const N: usize>(ints: [i64; N]) -> Result<[usize; N], String> {
    let mut sizes = [0; N];
    for (size, int) in sizes.iter_mut().zip(ints) {
        *size = usize::try_from(int).map_err(|_| format!("{int} is no size"))?;
    }
    Ok(sizes)
}
