//! Which layer reads what: a chain, or a graph of calls; models inside are their own layers.

use std::collections::HashMap;

use serde_json::Value;

use super::settings::Settings;
use super::weights::Place;

/// How many calls a model may have, models inside of it called again and again.
const MOST: usize = 1 << 14;
/// How many models may be in each other.
const DEEPEST: usize = 16;

/// What a layer is called with.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Argument {
    Tensor(String),
    Number(f64),
}

/// A layer on its inputs.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) class: &'a str,
    pub(super) config: &'a Value,
    pub(super) place: Place,
    pub(super) arguments: Vec<Argument>,
    /// Whether it is called as in training.
    pub(super) trains: bool,
    /// What it writes: its name, and behind `::` what makes it another one.
    pub(super) y: String,
}

pub(super) struct Image {
    pub(super) name: String,
    /// With its batch; 0 for what is open.
    pub(super) shape: Vec<usize>,
}

/// A whole model.
#[derive(Default)]
pub(super) struct Calls<'a> {
    pub(super) all: Vec<Call<'a>>,
    pub(super) inputs: Vec<Image>,
    pub(super) outputs: Vec<String>,
    /// How many calls there were, those of models too.
    made: usize,
}

/// Where a model is.
#[derive(Clone, Default)]
struct Inside {
    group: String,
    path: Vec<String>,
    /// What the names of its tensors end in.
    end: String,
}

impl<'a> Calls<'a> {
    pub(super) fn of(model: &'a Value) -> Result<Self, String> {
        let mut calls = Self::default();
        calls.outputs = calls.model(model, None, &Inside::default())?;
        Ok(calls)
    }

    /// The calls of a model on `inputs`, of the whole on its own; and what it gives.
    fn model(
        &mut self,
        model: &'a Value,
        inputs: Option<&[String]>,
        inside: &Inside,
    ) -> Result<Vec<String>, String> {
        if inside.path.len() > DEEPEST {
            return Err(format!("more than {DEEPEST} models are in each other"));
        }
        let class = class(model);
        let config = &model["config"];
        // The first files had the list by itself.
        let layers = config.get("layers").unwrap_or(config);
        let layers = layers.as_array().ok_or_else(|| {
            format!("a `{class}` is no list of layers: models of the classes `Sequential` and `Functional` are read")
        })?;
        match class {
            "Sequential" => self.chain(config, layers, inputs, inside),
            _ => self.graph(config, layers, inputs, inside),
        }
    }

    fn chain(
        &mut self,
        config: &'a Value,
        layers: &'a [Value],
        inputs: Option<&[String]>,
        inside: &Inside,
    ) -> Result<Vec<String>, String> {
        let mut current = inputs.map(<[String]>::to_vec);
        let mut counts = HashMap::new();
        for layer in layers {
            if class(layer) == "InputLayer" {
                if current.is_none() {
                    current = Some(vec![self.image(layer, name(layer), inside)?]);
                }
                continue;
            }
            let mut reads = match current.take() {
                Some(reads) => reads,
                // The size stands at the first layer, or at the model.
                None if shape(layer).is_some() => vec![self.image(layer, "image", inside)?],
                None => vec![self.begin(
                    "image",
                    config.get("build_input_shape").unwrap_or(&Value::Null),
                )?],
            };
            let place = inside.place(layer, &mut counts);
            let arguments = reads.drain(..).map(Argument::Tensor).collect();
            current = Some(self.layer(layer, place, arguments, false, 0, inside)?);
        }
        current.ok_or_else(|| "it has no layers".into())
    }

    fn graph(
        &mut self,
        config: &'a Value,
        layers: &'a [Value],
        inputs: Option<&[String]>,
        inside: &Inside,
    ) -> Result<Vec<String>, String> {
        // What a call gives, by the layer and the number of the call.
        let mut given: HashMap<(&str, u64), Vec<String>> = HashMap::new();
        let mut begins = Vec::new();
        references(&config["input_layers"], &mut begins);
        let mut counts = HashMap::new();
        let layers: Vec<(&Value, Place)> = layers
            .iter()
            .map(|layer| (layer, inside.place(layer, &mut counts)))
            .collect();
        for (layer, _) in layers
            .iter()
            .filter(|(layer, _)| class(layer) == "InputLayer")
        {
            let name = name(layer);
            let tensor = match inputs {
                None => self.image(layer, name, inside)?,
                Some(inputs) => {
                    let at = begins.iter().position(|it| it.0 == name);
                    let tensor = at.and_then(|at| inputs.get(at));
                    tensor
                        .ok_or_else(|| format!("a model inside has no input for `{name}`"))?
                        .clone()
                }
            };
            given.insert((name, 0), vec![tensor]);
        }
        // A call is made when all that it reads is there: a list may have another order.
        let mut open = Vec::new();
        for (layer, place) in &layers {
            let nodes = layer["inbound_nodes"].as_array();
            let nodes = nodes.map(Vec::as_slice).unwrap_or_default();
            for (number, node) in nodes.iter().enumerate() {
                open.push((*layer, place, number as u64, Read::of(node)));
            }
        }
        let mut ends = Vec::new();
        references(&config["output_layers"], &mut ends);
        // Of a model, Keras 2 counts that it was built as its first call, which is not in the list.
        let mut first: HashMap<&str, u64> = HashMap::new();
        let read = open.iter().flat_map(|(_, _, _, read)| &read.all);
        let read = read.filter_map(|it| match *it {
            Given::Of(reference) => Some(reference),
            Given::Number(_) => None,
        });
        for (layer, call, _) in read.chain(ends.iter().copied()) {
            let first = first.entry(layer).or_insert(call);
            *first = call.min(*first);
        }
        while !open.is_empty() {
            let before = open.len();
            let mut waiting = Vec::new();
            for (layer, place, number, read) in open {
                let tensors = |it: &Given<'_>| match *it {
                    Given::Number(number) => Some(vec![Argument::Number(number)]),
                    Given::Of((layer, call, tensor)) => {
                        let all = given.get(&(layer, call))?;
                        Some(vec![Argument::Tensor(all.get(tensor as usize)?.clone())])
                    }
                };
                let arguments: Option<Vec<_>> = read.all.iter().map(tensors).collect();
                let Some(arguments) = arguments else {
                    waiting.push((layer, place, number, read));
                    continue;
                };
                let written = self.layer(
                    layer,
                    place.clone(),
                    arguments.concat(),
                    read.trains,
                    number,
                    inside,
                )?;
                let first = first.get(name(layer)).filter(|_| is_model(class(layer)));
                let number = number.saturating_add(first.copied().unwrap_or(0));
                given.insert((name(layer), number), written);
            }
            open = waiting;
            if open.len() == before {
                let named: Vec<&str> = open.iter().take(3).map(|it| name(it.0)).collect();
                return Err(format!(
                    "what {named:?} read is not there, or depends on them in a circle"
                ));
            }
        }
        let outputs = ends.iter().map(|&(layer, call, tensor)| {
            let all = given.get(&(layer, call));
            let output = all.and_then(|all| all.get(tensor as usize)).cloned();
            output.ok_or_else(|| format!("its output `{layer}` is not there"))
        });
        outputs.collect()
    }

    /// One call: of a model, all of its own.
    fn layer(
        &mut self,
        layer: &'a Value,
        place: Place,
        arguments: Vec<Argument>,
        trains: bool,
        number: u64,
        inside: &Inside,
    ) -> Result<Vec<String>, String> {
        self.made += 1;
        if self.made > MOST {
            return Err(format!("it has more than {MOST} calls of layers"));
        }
        let (class, name) = (class(layer), name(layer));
        let mut end = inside.end.clone();
        if number > 0 {
            end = format!("{end}::{number}");
        }
        if is_model(class) {
            let tensors = arguments.into_iter().filter_map(|it| match it {
                Argument::Tensor(name) => Some(name),
                Argument::Number(_) => None,
            });
            let tensors: Vec<String> = tensors.collect();
            let inside = Inside {
                group: format!("{}/", place.group),
                path: place.path,
                end: format!("{end}::{name}"),
            };
            return self.model(layer, Some(&tensors), &inside);
        }
        let y = format!("{}{end}", name.replace("::", "_").replace('/', "_"));
        self.all.push(Call {
            class,
            config: &layer["config"],
            place,
            arguments,
            trains,
            y: y.clone(),
        });
        Ok(vec![y])
    }

    fn image(&mut self, layer: &'a Value, name: &str, inside: &Inside) -> Result<String, String> {
        if !inside.path.is_empty() {
            return Err(format!("a model inside has no input for `{name}`"));
        }
        self.begin(name, shape(layer).unwrap_or(&Value::Null))
    }

    /// The image of the model, `[null, 224, 224, 3]`.
    fn begin(&mut self, name: &str, shape: &Value) -> Result<String, String> {
        let sizes = shape.as_array().filter(|sizes| sizes.len() <= 8);
        let sizes = sizes.ok_or(
            "it does not say how large its image is: `model.build(…)` before it is saved does",
        )?;
        let size = |size: &Value| usize::try_from(size.as_u64().unwrap_or(0)).unwrap_or(0);
        self.inputs.push(Image {
            name: name.to_owned(),
            shape: sizes.iter().map(size).collect(),
        });
        Ok(name.to_owned())
    }
}

impl Inside {
    /// Where the weights of a layer in it are; `counts` says how many of its class there were.
    fn place(&self, layer: &Value, counts: &mut HashMap<String, usize>) -> Place {
        let kind = snake_case(class(layer));
        let count = counts.get(&kind).copied().unwrap_or(0);
        let group = match count {
            0 => format!("{}layers/{kind}", self.group),
            count => format!("{}layers/{kind}_{count}", self.group),
        };
        // An operation between tensors is no layer.
        if !layer["module"]
            .as_str()
            .is_some_and(|it| it.contains(".ops."))
        {
            counts.insert(kind, count + 1);
        }
        let mut path = self.path.clone();
        path.push(name(layer).to_owned());
        Place { group, path }
    }
}

/// What a call reads, as the file says it.
struct Read<'a> {
    all: Vec<Given<'a>>,
    trains: bool,
}

type Reference<'a> = (&'a str, u64, u64);

enum Given<'a> {
    Of(Reference<'a>),
    Number(f64),
}

impl<'a> Read<'a> {
    fn of(node: &'a Value) -> Self {
        let mut read = Self {
            all: Vec::new(),
            trains: false,
        };
        match node {
            // Keras 3: {"args": […], "kwargs": {…}}.
            Value::Object(call) => {
                read.arguments(call.get("args").unwrap_or(&Value::Null));
                read.named(call.get("kwargs").unwrap_or(&Value::Null));
            }
            // Keras 2: ["stem", 0, 0, {…}], or a list of those.
            Value::Array(one)
                if reference(node).is_some() || one.first().is_some_and(Value::is_string) =>
            {
                read.arguments(node);
                read.named(one.get(3).unwrap_or(&Value::Null));
            }
            Value::Array(all) => {
                for it in all {
                    read.arguments(it);
                    read.named(it.get(3).unwrap_or(&Value::Null));
                }
            }
            _ => {}
        }
        read
    }

    fn named(&mut self, all: &'a Value) {
        for (name, value) in all.as_object().into_iter().flatten() {
            match (name.as_str(), value) {
                ("training", value) => self.trains |= value.as_bool() == Some(true),
                ("name", _) => {}
                (_, value) => self.arguments(value),
            }
        }
    }

    fn arguments(&mut self, value: &'a Value) {
        match value {
            Value::Number(number) => self.all.extend(number.as_f64().map(Given::Number)),
            // ["_CONSTANT_VALUE", -1, 3.0, {…}]
            Value::Array(all) if all.first().and_then(Value::as_str) == Some("_CONSTANT_VALUE") => {
                self.arguments(all.get(2).unwrap_or(&Value::Null));
            }
            value => match reference(value) {
                Some(it) => self.all.push(Given::Of(it)),
                None => {
                    let all = value.as_array();
                    all.into_iter().flatten().for_each(|it| self.arguments(it));
                }
            },
        }
    }
}

/// A tensor: `["stem", 0, 0]`, or an object that holds such a list.
fn reference(value: &Value) -> Option<Reference<'_>> {
    let list = match value {
        Value::Object(_) => value.get("config")?.get("keras_history")?,
        value => value,
    };
    Some((
        list.get(0)?.as_str()?,
        list.get(1)?.as_u64()?,
        list.get(2)?.as_u64()?,
    ))
}

/// All tensors that are named anywhere in a value.
fn references<'a>(value: &'a Value, all: &mut Vec<Reference<'a>>) {
    match (reference(value), value) {
        (Some(it), _) => all.push(it),
        (None, Value::Array(inner)) => inner.iter().for_each(|it| references(it, all)),
        (None, Value::Object(inner)) => inner.values().for_each(|it| references(it, all)),
        (None, _) => {}
    }
}

/// Whether a layer is layers itself.
fn is_model(class: &str) -> bool {
    matches!(class, "Sequential" | "Functional" | "Model")
}

fn class(layer: &Value) -> &str {
    layer["class_name"].as_str().unwrap_or_default()
}

fn name(layer: &Value) -> &str {
    let name = layer
        .get("name")
        .or_else(|| layer.get("config")?.get("name"));
    name.and_then(Value::as_str).unwrap_or_default()
}

/// The axes of an input, if the layer says them.
fn shape(layer: &Value) -> Option<&Value> {
    let config = Settings(layer.get("config")?);
    config
        .get("batch_shape")
        .or_else(|| config.get("batch_input_shape"))
}

/// `BatchNormalization` as Keras names the group of it: `batch_normalization`.
fn snake_case(class: &str) -> String {
    let letters: Vec<char> = class
        .chars()
        .filter(|it| it.is_alphanumeric() || *it == '_')
        .collect();
    let mut text = String::new();
    for (at, &letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).map(|at| letters[at]);
        let behind = letters.get(at + 1);
        let begins = letter.is_ascii_uppercase()
            && before.is_some_and(|it| {
                it.is_ascii_lowercase() || behind.is_some_and(char::is_ascii_lowercase) && it != '_'
            });
        if begins {
            text.push('_');
        }
        text.extend(letter.to_lowercase());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `keras.src.utils.naming.to_snake_case` (3.15) has them.
    #[test]
    fn classes_are_named_as_keras_names_them() {
        for (class, expected) in [
            ("Conv2D", "conv2d"),
            ("Conv2DTranspose", "conv2d_transpose"),
            ("DepthwiseConv2D", "depthwise_conv2d"),
            ("BatchNormalization", "batch_normalization"),
            ("ReLU", "re_lu"),
            ("PReLU", "p_re_lu"),
            ("LeakyReLU", "leaky_re_lu"),
            ("ELU", "elu"),
            ("ZeroPadding2D", "zero_padding2d"),
            ("GlobalAveragePooling2D", "global_average_pooling2d"),
            ("InputLayer", "input_layer"),
        ] {
            assert_eq!(snake_case(class), expected, "{class}");
        }
    }
}
