//! What a weight file that does not fit is answered: the sentences of `WeightsError`, written by a
//! `const fn`.

use super::Message;
use crate::Tensor;
use crate::file::header::{Defect, Entry, Header, Name};

/// At most so many names are listed.
const SHOWN: usize = 8;

/// What a target is answered whose scalars are not stored as a file has them.
pub(super) const fn of_the_target(is_little_endian: bool) -> Option<Message> {
    if is_little_endian {
        return None;
    }
    let mut text = Message::new();
    text.push_str(
        "a weight file is little-endian and the target big-endian: its bytes are no scalars here",
    )
    .push_str("\nread it with `weights::from_bytes`, which turns them");
    Some(text)
}

pub(crate) const fn defect(defect: &Defect<'_>) -> Message {
    let mut text = Message::new();
    match *defect {
        Defect::Length { expected, found } => {
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
        }
        _ => {
            text.push_str("this is no safetensors file, or a damaged one: ")
                .push_str(defect.reason().as_str())
                .push_str(
                    "\n`weights::save` writes one, and so does `safetensors.torch.save_file`",
                );
        }
    }
    text
}

pub(super) const fn too_many(most: usize) -> Message {
    let mut text = Message::new();
    text.push_str("the file has more than the ")
        .push_number(most)
        .push_str(" tensors that a network can have\nload the weights of this network");
    text
}

pub(crate) const fn missing(name: &str, header: &Header<'_>, entries: &[Entry]) -> Message {
    let mut text = Message::new();
    text.push_str("the file has no tensor `")
        .push_str(name)
        .push_str("`; it holds ");
    // The nearest first: of what is not yet shown, the first of those that are nearest.
    let (mut shown, mut count) = ([usize::MAX; SHOWN], 0);
    while count < entries.len() && count < SHOWN {
        let (mut best, mut index) = (None, 0);
        while index < entries.len() {
            let near = entries[index].name(header).nearness(Name::plain(name));
            let better = match best {
                Some((_, most)) => near > most,
                None => true,
            };
            if better && !contains(&shown, index) {
                best = Some((index, near));
            }
            index += 1;
        }
        if let Some((index, _)) = best {
            push_name(&mut text, entries[index].name(header), count);
            shown[count] = index;
        }
        count += 1;
    }
    push_rest(&mut text, entries.len());
    let (mut torch, mut beside, mut index) = (false, false, 0);
    while index < entries.len() {
        let found = entries[index].name(header);
        torch |= found.ends_with(".weight");
        beside |= is_of_bias(found, Name::plain(name));
        index += 1;
    }
    text.push_str(if torch && Name::plain(name).ends_with(".filters") {
        "\nthese are PyTorch's names: read it with `weights::from_pytorch`"
    } else if beside {
        "\na `conv` without a bias is declared with `bias = none`; where another layer has none, write \
         one of zeros into the file"
    } else {
        "\nload the weights of this network, or name its layers as the file does"
    });
    text
}

pub(super) const fn extra(name: Name<'_>, tensors: &[Tensor]) -> Message {
    let mut text = Message::new();
    text.push_str("the file has a tensor `");
    name.push_to(&mut text);
    text.push_str("` that the network has not; the network's are ");
    let mut index = 0;
    while index < tensors.len() && index < SHOWN {
        push_name(&mut text, Name::plain(tensors[index].name), index);
        index += 1;
    }
    push_rest(&mut text, tensors.len());
    let (mut beside, mut index) = (false, 0);
    while index < tensors.len() {
        beside |= is_of_bias(Name::plain(tensors[index].name), name);
        index += 1;
    }
    text.push_str(if beside {
        "\nits layer is declared without a bias: leave out `bias = none`; without the tensor the file is \
         of a network that computes something else"
    } else {
        "\nload the weights of this network, or declare what the tensor belongs to; without it the file \
         is of a network that computes something else"
    });
    text
}

pub(super) const fn shape(tensor: &Tensor, header: &Header<'_>, found: &Entry) -> Message {
    let mut text = Message::new();
    text.push_str("`")
        .push_str(tensor.name)
        .push_str("` has the shape ");
    text.push_str("[");
    let (mut axes, mut before) = (found.axes(header), "");
    while let Some(length) = axes.next() {
        text.push_str(before).push_number(length);
        before = ", ";
    }
    text.push_str("]; the network's is [");
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

pub(crate) const fn dtype(name: &str, found: &str, expected: &str) -> Message {
    let mut text = Message::new();
    text.push_str("`")
        .push_str(name)
        .push_str("` is made of ")
        .push_str(found)
        .push_str("; the network's scalars are ")
        .push_str(expected)
        .push_str("\nsave it as ")
        .push_str(expected)
        .push_str(" in the program that wrote it");
    text
}

const fn contains(places: &[usize; SHOWN], place: usize) -> bool {
    let mut index = 0;
    while index < SHOWN {
        if places[index] == place {
            return true;
        }
        index += 1;
    }
    false
}

/// Whether `name` is of the filters of the layer whose bias is `bias`.
const fn is_of_bias(name: Name<'_>, bias: Name<'_>) -> bool {
    match bias.without("bias") {
        Some(layer) => {
            name.is_both(layer, Name::plain("filters"))
                || name.is_both(layer, Name::plain("weight"))
        }
        None => false,
    }
}

pub(crate) const fn variance(name: &str, index: usize, value: f64, epsilon: f64) -> Message {
    let mut text = Message::new();
    text.push_str("`")
        .push_str(name)
        .push_str("` holds ")
        .push_real(value)
        .push_str(" at index ")
        .push_number(index)
        .push_str("; with eps, ")
        .push_real(epsilon)
        .push_str(
            ", that is not above 0, and has no root to divide by\n\
             variances are 0 or more: export the weights anew, after `train::calibrate` if they are this \
             crate's",
        );
    text
}

pub(super) const fn not_finite(name: &str, index: usize, value: f64) -> Message {
    let mut text = Message::new();
    text.push_str("`")
        .push_str(name)
        .push_str("` holds ")
        .push_real(value)
        .push_str(" at index ")
        .push_number(index)
        .push_str("\nthe training that made it diverged: lower its learning rate");
    text
}

const fn push_name(text: &mut Message, name: Name<'_>, before: usize) {
    text.push_str(if before == 0 { "`" } else { ", `" });
    name.push_to(text);
    text.push_str("`");
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
