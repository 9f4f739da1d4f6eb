//! How a node slides.

use convnet_core::shape::{Fit, Misfit, Padding, Placed, Window};

use crate::onnx::attributes::{Attributes, sizes};
use crate::onnx::fold::MOST;

/// The window of a node on an input of `[height, width]`, with the zeros of a `Pad` in front of it.
pub(super) fn window(
    attributes: Attributes<'_>,
    size: [usize; 2],
    stride: usize,
    [height, width]: [usize; 2],
    padded: [usize; 4],
) -> Result<Window, String> {
    let stride = attributes.pair("strides", stride)?;
    let dilation = attributes.pair("dilations", 1)?;
    let all = [size, stride, dilation].concat();
    if let Some(it) = all.iter().find(|it| **it > MOST) {
        return Err(format!("a size, stride or dilation is {it}"));
    }
    let pads = match attributes.text("auto_pad").unwrap_or("NOTSET") {
        "NOTSET" => match attributes.ints("pads") {
            None => [0; 4],
            Some(&[top, left, bottom, right]) => sizes([top, bottom, left, right])?,
            Some(pads) => return Err(format!("`pads` is {pads:?}: four numbers are wanted")),
        },
        "VALID" => [0; 4],
        side @ ("SAME_UPPER" | "SAME_LOWER") => {
            let around = |axis: usize, input: usize| -> Result<[usize; 2], String> {
                if stride[axis] == 0 || size[axis] == 0 {
                    return Err("a size or a stride is 0".into());
                }
                let outputs = input.div_ceil(stride[axis]);
                let covers = dilation[axis] * (size[axis] - 1) + 1;
                let zeros = ((outputs - 1) * stride[axis] + covers).saturating_sub(input);
                let (less, more) = (zeros / 2, zeros.div_ceil(2));
                Ok(match side {
                    "SAME_UPPER" => [less, more],
                    _ => [more, less],
                })
            };
            let ([top, bottom], [left, right]) = (around(0, height)?, around(1, width)?);
            [top, bottom, left, right]
        }
        other => return Err(format!("`auto_pad` is {other}")),
    };
    let [top, bottom, left, right] = std::array::from_fn(|side| pads[side] + padded[side]);
    Ok(Window {
        size,
        dilation,
        stride,
        padding: Padding::Zeros {
            top,
            bottom,
            left,
            right,
        },
        fit: Fit::Exact,
    })
}

/// The window with what has to be said of a remainder, and where it then lies.
pub(super) fn fitted(
    window: Window,
    otherwise: Fit,
    place: impl Fn(&Window) -> Result<[Placed; 2], Misfit>,
) -> Result<(Window, [Placed; 2]), String> {
    let other = Window {
        fit: otherwise,
        ..window
    };
    match place(&window) {
        Ok(placed) => Ok((window, placed)),
        Err(misfit) => match place(&other) {
            Ok(placed) => Ok((other, placed)),
            Err(_) => Err(misfit.to_string()),
        },
    }
}
