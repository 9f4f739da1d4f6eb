//! What would make two ways through a block meet.

use super::Message;
use crate::plan::block::same;
use crate::plan::trial::Trial;
use crate::shape::{Axis, Fit, Misfit, Window};

/// A line under a [`Misfit::Sum`] or [`Misfit::Slices`].
pub(super) const fn write(text: &mut Message, misfit: &Misfit, trial: Option<&mut Trial<'_>>) {
    if let Misfit::Sum {
        body,
        shortcut,
        from: Some(from),
        ..
    } = *misfit
    {
        let other = match shortcut {
            Some(shortcut) => shortcut,
            None => from,
        };
        if !same(body, other, 2) {
            write_scaled(text, body, other);
        } else if !super::is_repeated(&trial) {
            text.push_str("\nconv(")
                .push_number(body[2])
                .push_str(", 1x1) at the end of the shortcut would make them equal");
        }
    } else if let Misfit::Sum { input, body, .. } = *misfit {
        match projection(input, body) {
            Some(window) if meets(trial, body[2], &window) => {
                text.push_str("\nshortcut { conv(")
                    .push_number(body[2])
                    .push_str(", 1x1");
                write_window(text, &window);
                text.push_str(") } at the end of the block would make them equal");
            }
            _ => write_same(text, input),
        }
    }
    if let Misfit::Slices {
        input,
        first,
        other,
        ..
    } = *misfit
    {
        match input {
            Some(input) if same(input, first, 2) || same(input, other, 2) => {
                write_same(text, input);
            }
            Some(_) => _ = text.push_str("\nequal sizes, strides and paddings make them equal"),
            None => write_scaled(text, first, other),
        }
    }
}

/// What makes one as high and wide as the other, which began elsewhere.
const fn write_scaled(text: &mut Message, a: [usize; 3], b: [usize; 3]) {
    let (small, large) = match a[0] < b[0] {
        true => (a, b),
        false => (b, a),
    };
    let mut axis = 0;
    while axis < 2 {
        if small[axis] == 0 || !large[axis].is_multiple_of(small[axis]) {
            return;
        }
        axis += 1;
    }
    text.push_str("\nupsample(");
    super::write_pair(text, [large[0] / small[0], large[1] / small[1]]);
    text.push_str(") would make ").push_number(small[1]);
    text.push_str("x").push_number(small[0]).push_str(" ");
    super::write_pair(text, [large[0], large[1]]);
}

/// Whether that shortcut fits each time, in a repetition.
const fn meets(trial: Option<&mut Trial<'_>>, filters: usize, shortcut: &Window) -> bool {
    match trial {
        Some(trial) if trial.is_repeated() => trial.meets(filters, shortcut),
        _ => true,
    }
}

const fn write_same(text: &mut Message, [height, width, _]: [usize; 3]) {
    text.push_str("\nlayers with stride = 1 and pad = same keep ");
    text.push_number(width).push_str("x").push_number(height);
}

const fn write_window(text: &mut Message, window: &Window) {
    match window.stride {
        [1, 1] => {}
        [down, across] => {
            text.push_str(", stride = ").push_number(across);
            if down != across {
                text.push_str("x").push_number(down);
            }
        }
    }
    if let Fit::Crop = window.fit {
        text.push_str(", fit = crop");
    }
}

/// Filters of 1x1 that make the height and width of `from` those of `to`, if there are any.
const fn projection(from: [usize; 3], to: [usize; 3]) -> Option<Window> {
    let (Some(down), Some(across)) = (stride(from[0], to[0]), stride(from[1], to[1])) else {
        return None;
    };
    let mut window = Window {
        stride: [down, across],
        ..Window::square(1, 1, 0)
    };
    if window.place([from[0], from[1]]).is_err() {
        window.fit = Fit::Crop;
    }
    Some(window)
}

/// More would skip most of the image.
const LARGEST_STRIDE: usize = 8;

/// The least stride, exact if one is, at which a filter of 1 has `to` positions on `from`.
const fn stride(from: usize, to: usize) -> Option<usize> {
    let fits = [Fit::Exact, Fit::Crop];
    let mut at = 0;
    while at < fits.len() {
        let mut stride = 1;
        while stride <= LARGEST_STRIDE {
            let axis = Axis {
                size: from,
                filter: 1,
                dilation: 1,
                stride,
                before: 0,
                after: 0,
                fit: fits[at],
            };
            if let Ok(placed) = axis.place()
                && placed.output == to
            {
                return Some(stride);
            }
            stride += 1;
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A repair that is none is a bug: all sizes up to 40 are tried.
    #[test]
    fn the_shortcut_that_is_offered_makes_the_ways_meet() {
        let mut offered = 0;
        for from in 1..40 {
            for to in 1..40 {
                let Some(window) = projection([from, 2 * from, 3], [to, 2 * to, 5]) else {
                    continue;
                };
                let [rows, columns] = window.place([from, 2 * from]).unwrap();
                assert_eq!((rows.output, columns.output), (to, 2 * to), "{window:?}");
                offered += 1;
            }
        }
        assert!(offered > 100, "{offered}");
        assert!(projection([32, 32, 3], [30, 30, 3]).is_none());
    }

    #[test]
    fn resnet_s_projections() {
        let window = projection([56, 56, 64], [28, 28, 128]).unwrap();
        assert_eq!((window.stride, window.fit), ([2, 2], Fit::Crop));
        let window = projection([56, 56, 64], [56, 56, 256]).unwrap();
        assert_eq!((window.stride, window.fit), ([1, 1], Fit::Exact));
        let window = projection([57, 57, 64], [29, 29, 64]).unwrap();
        assert_eq!((window.stride, window.fit), ([2, 2], Fit::Exact));
    }
}
