//! What a weight file that does not fit is answered: the sentences of `WeightsError`, written by a
//! `const fn`.

use super::Message;
use super::header::{Entry, Header};
use crate::Tensor;

/// At most so many names are listed.
const SHOWN: usize = 8;

pub(super) const fn no_file(reason: &str) -> Message {
    let mut text = Message::new();
    text.push_str("this is no safetensors file, or a damaged one: ")
        .push_str(reason)
        .push_str("\n`weights::save` writes one, and so does `safetensors.torch.save_file`");
    text
}

pub(super) const fn length(expected: usize, found: usize) -> Message {
    let mut text = Message::new();
    if found < expected {
        text.push_str("the file was cut short: it has ")
            .push_number(found)
            .push_str(" bytes of ")
            .push_number(expected);
    } else {
        text.push_str("the file has ")
            .push_number(found)
            .push_str(" bytes where its header promises ")
            .push_number(expected);
    }
    text.push_str("\ncopy or save it again");
    text
}

pub(super) const fn missing(name: &str, header: &Header<'_>) -> Message {
    let mut text = Message::new();
    text.push_str("the file has no tensor `")
        .push_str(name)
        .push_str("`; it holds ");
    let (mut entries, mut count) = (header.entries(), 0);
    while let Ok(Some(entry)) = entries.next() {
        push_name(&mut text, as_str(entry.name), count);
        count += 1;
    }
    push_rest(&mut text, count);
    text.push_str("\nload the weights of this network, or name its layers as the file does");
    text
}

pub(super) const fn extra(name: &[u8], tensors: &[Tensor]) -> Message {
    let mut text = Message::new();
    text.push_str("the file has a tensor `")
        .push_str(as_str(name))
        .push_str("` that the network has not; the network's are ");
    let mut index = 0;
    while index < tensors.len() {
        push_name(&mut text, tensors[index].name, index);
        index += 1;
    }
    push_rest(&mut text, index);
    text.push_str("\nload the weights of this network, or remove the tensor from the file");
    text
}

pub(super) const fn twice(name: &[u8]) -> Message {
    let mut text = Message::new();
    text.push_str("the file has two tensors `")
        .push_str(as_str(name))
        .push_str("`\nremove one of them from the file");
    text
}

pub(super) const fn shape(tensor: &Tensor, found: &Entry<'_>) -> Message {
    let mut text = Message::new();
    text.push_str("`")
        .push_str(tensor.name)
        .push_str("` has the shape ");
    push_shape(&mut text, found.shape);
    text.push_str("; the network's is [");
    let mut axis = 0;
    while axis < tensor.shape.len() {
        if axis > 0 {
            text.push_str(", ");
        }
        text.push_number(tensor.shape[axis]);
        axis += 1;
    }
    text.push_str("]\nload weights of the same declaration, or change the layer's hyperparameters");
    text
}

pub(super) const fn dtype(name: &str, found: &[u8], expected: &[u8]) -> Message {
    let mut text = Message::new();
    text.push_str("`")
        .push_str(name)
        .push_str("` is made of ")
        .push_str(as_str(found))
        .push_str("; the network's scalars are ")
        .push_str(as_str(expected))
        .push_str("\nsave it as ")
        .push_str(as_str(expected))
        .push_str(" in the program that wrote it");
    text
}

/// `[3,3,1,16]` with a space after each comma.
const fn push_shape(text: &mut Message, mut shape: &[u8]) {
    while let Some((first, rest)) = shape.split_first() {
        match *first {
            b' ' | b'\n' | b'\r' | b'\t' => {}
            b',' => {
                text.push_str(", ");
            }
            _ => {
                text.push_str(as_str(shape.split_at(1).0));
            }
        }
        shape = rest;
    }
}

const fn push_name(text: &mut Message, name: &str, before: usize) {
    if before < SHOWN {
        text.push_str(if before == 0 { "`" } else { ", `" })
            .push_str(name)
            .push_str("`");
    }
}

const fn push_rest(text: &mut Message, count: usize) {
    if count == 0 {
        text.push_str("none");
    }
    if count > SHOWN {
        text.push_str(" and ")
            .push_number(count - SHOWN)
            .push_str(" more");
    }
}

const fn as_str(bytes: &[u8]) -> &str {
    match str::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => "?",
    }
}
