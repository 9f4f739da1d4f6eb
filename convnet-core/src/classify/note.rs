//! What a weight file says of the images that its network reads.

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde_json::{Value, json};

use super::{ClassifierError, Normalisation, Sizing};

/// Under this key it stands in the metadata, as JSON: `{"class_names":["cat","dog"],"deviation":[…],
/// "mean":[…],"sizing":"stretch"}`.
pub(super) const KEY: &str = "convnet.classifier";

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Note {
    pub(super) class_names: Vec<String>,
    pub(super) normalisation: Normalisation,
    pub(super) sizing: Sizing,
}

impl Note {
    pub(super) fn to_json(&self) -> String {
        let note = json!({
            "class_names": self.class_names,
            "mean": self.normalisation.mean,
            "deviation": self.normalisation.deviation,
            "sizing": self.sizing.name(),
        });
        note.to_string()
    }

    pub(super) fn of_json(text: &str) -> Result<Self, ClassifierError> {
        let wrong = |field: &'static str| move || ClassifierError::Note { field };
        let note: Value = serde_json::from_str(text).map_err(|_| wrong("the whole")())?;
        let list = |field| note[field].as_array().ok_or_else(wrong(field));
        let numbers = |field: &'static str| {
            let numbers = list(field)?.iter().map(|number| number.as_f64());
            numbers
                .collect::<Option<Vec<f64>>>()
                .ok_or_else(wrong(field))
        };
        let names = list("class_names")?.iter();
        let names = names.map(|name| name.as_str().map(ToOwned::to_owned));
        Ok(Self {
            class_names: names
                .collect::<Option<_>>()
                .ok_or_else(wrong("class_names"))?,
            normalisation: Normalisation {
                mean: numbers("mean")?,
                deviation: numbers("deviation")?,
            },
            sizing: note["sizing"]
                .as_str()
                .and_then(Sizing::of_name)
                .ok_or_else(wrong("sizing"))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note() -> Note {
        Note {
            class_names: ["cat", "say \"dog\"", "Ж"].map(str::to_owned).into(),
            normalisation: Normalisation {
                mean: [0.1, 125.306_918, 1.0 / 3.0].into(),
                deviation: [1.0, 62.993_219_4, 1e-7].into(),
            },
            sizing: Sizing::Crop,
        }
    }

    #[test]
    fn what_is_written_is_read_to_the_bit() {
        assert_eq!(Note::of_json(&note().to_json()).unwrap(), note());
    }

    #[test]
    fn what_is_wrong_is_named() {
        let text = note().to_json();
        let fields = ["class_names", "mean", "deviation", "sizing"];
        for field in fields {
            let error = Note::of_json(&text.replace(field, "x")).unwrap_err();
            assert!(error.to_string().contains(field), "{error}");
        }
        let wrong = [
            ("[\"cat\"", "[1"),
            ("[0.1", "[\"0.1\""),
            ("[1.0", "[null"),
            ("crop", "cut"),
        ];
        for ((from, to), field) in wrong.into_iter().zip(fields) {
            let error = Note::of_json(&text.replace(from, to)).unwrap_err();
            assert!(error.to_string().contains(field), "{error}");
        }
        assert!(Note::of_json("[").is_err() && Note::of_json("3").is_err());
    }
}
