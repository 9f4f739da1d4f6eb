//! # Plan: numbers into `convnet_core::plan`, misfits back onto tokens

use convnet_core::plan::{self, Op};
use convnet_core::shape;
use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

use crate::emit;
use crate::report::Report;
use crate::syntax::{Declaration, Fit, Kind, Layer, Number, Pad, Value, Window};

/// What `emit` needs; `None`, and errors, if something does not fit.
pub(crate) fn plan(declaration: &Declaration, report: &mut Report) -> Option<emit::Network> {
    let [width, height, depth] = declaration.input.as_ref()?;
    let input = [height, width, depth];
    let ops: Vec<Op> = declaration.layers.iter().map(op).collect();
    let numbers = input.map(|n| n.known().unwrap_or(1));
    let (steps, totals) = match plan::place(numbers, &ops) {
        Ok(plan) => plan,
        Err(failure) => {
            let layer = &declaration.layers[failure.layer];
            report.push(&layer.word, format!("{} does not fit: {:?}", layer.name, failure.misfit));
            return None;
        }
    };
    let layers = declaration.layers.iter().map(layer).collect();
    let attributes = &declaration.attributes;
    Some(emit::Network {
        krate: declaration.krate.clone(),
        attributes: quote!(#(#attributes)*),
        visibility: declaration.visibility.to_token_stream(),
        name: declaration.name.clone(),
        input: input.map(argument),
        layers,
        steps,
        totals,
        plan: None,
        table: String::new(),
    })
}

fn argument(number: &Number) -> TokenStream {
    match &number.value {
        Value::Number(value) => proc_macro2::Literal::usize_unsuffixed(*value).to_token_stream(),
        Value::Const(name) => quote!({ #name }),
    }
}

fn op(layer: &Layer) -> Op {
    let n = |n: &Number| n.known().unwrap_or(1);
    match &layer.kind {
        Kind::Conv { filters, window } => Op::Conv { filters: n(filters), window: numbers(window, false) },
        Kind::MaxPool(window) => Op::MaxPool(numbers(window, true)),
        Kind::AvgPool(window) => Op::AvgPool(numbers(window, true)),
        Kind::GlobalAvgPool => Op::GlobalAvgPool,
        Kind::Fc { filters } => Op::Fc { filters: n(filters) },
        Kind::Dropout { .. } => Op::Dropout,
        Kind::Flatten => Op::Flatten,
        _ => Op::Activation,
    }
}

fn numbers(window: &Window, pool: bool) -> shape::Window {
    let n = |n: &Number| n.known().unwrap_or(1);
    let size = [n(&window.size.rows), n(&window.size.columns)];
    let stride = match &window.stride {
        Some(stride) => [n(&stride.rows), n(&stride.columns)],
        None if pool => size,
        None => [1, 1],
    };
    let padding = match &window.pad {
        Pad::None => shape::Padding::NONE,
        Pad::Same(_) => shape::Padding::Same,
        Pad::Zeros(sides) => {
            let [top, bottom, left, right] = [0, 1, 2, 3].map(|i: usize| n(&sides[i]));
            shape::Padding::Zeros { top, bottom, left, right }
        }
    };
    let fit = match window.fit {
        Fit::Exact => shape::Fit::Exact,
        Fit::Crop => shape::Fit::Crop,
        Fit::Pad => shape::Fit::Pad,
    };
    shape::Window { size, stride, padding, fit }
}

fn layer(layer: &Layer) -> emit::Layer {
    let window = |window: &Window, pool: bool| {
        let size = [&window.size.rows, &window.size.columns].map(argument);
        let stride = match &window.stride {
            Some(stride) => [&stride.rows, &stride.columns].map(argument),
            None if pool => size.clone(),
            None => [quote!(1), quote!(1)],
        };
        emit::Window { size, stride }
    };
    let kind = match &layer.kind {
        Kind::Conv { window: w, .. } => emit::Kind::Conv(window(w, false)),
        Kind::MaxPool(w) => emit::Kind::MaxPool(window(w, true)),
        Kind::AvgPool(w) => emit::Kind::AvgPool(window(w, true)),
        Kind::GlobalAvgPool => emit::Kind::GlobalAvgPool,
        Kind::Fc { .. } => emit::Kind::Fc,
        Kind::Relu => emit::Kind::Relu,
        Kind::LeakyRelu { slope } => emit::Kind::LeakyRelu { slope: *slope },
        Kind::Sigmoid => emit::Kind::Sigmoid,
        Kind::Tanh => emit::Kind::Tanh,
        Kind::Softmax => emit::Kind::Softmax,
        Kind::Dropout { rate } => emit::Kind::Dropout { rate: *rate },
        Kind::Flatten => emit::Kind::Flatten,
    };
    emit::Layer { name: layer.name.clone(), word: layer.word.to_string(), detail: String::new(), kind }
}
