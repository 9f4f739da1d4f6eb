//! Scalars as pictures: PNG, in the text of the page.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A picture of bytes: one a pixel, or three.
pub(super) struct Picture {
    pub(super) width: usize,
    pub(super) height: usize,
    /// Grey, or red, green and blue.
    pub(super) bytes: Vec<u8>,
}

impl Picture {
    /// What an `img` shows; nothing if there are no pixels.
    pub(super) fn source(&self) -> String {
        self.encoded().map_or_else(String::new, |bytes| {
            format!("data:image/png;base64,{}", STANDARD.encode(bytes))
        })
    }

    fn encoded(&self) -> Option<Vec<u8>> {
        let (width, height) = (self.width.try_into().ok()?, self.height.try_into().ok()?);
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, width, height);
        encoder.set_color(match self.bytes.len() == self.width * self.height {
            true => png::ColorType::Grayscale,
            false => png::ColorType::Rgb,
        });
        encoder.set_depth(png::BitDepth::Eight);
        let mut writer = encoder.write_header().ok()?;
        writer.write_image_data(&self.bytes).ok()?;
        writer.finish().ok()?;
        Some(file)
    }
}

/// An `img` of a size in pixels of the page, with what it shows in words.
pub(super) fn img(picture: &Picture, [width, height]: [usize; 2], says: &str) -> String {
    let (source, says) = (picture.source(), super::text(says));
    format!(
        "<img src=\"{source}\" width=\"{width}\" height=\"{height}\" alt=\"{says}\" title=\"{says}\"/>"
    )
}

/// Grey: black where the scalar is `least`, white where it is `most`.
pub(super) fn grey(
    width: usize,
    scalars: impl ExactSizeIterator<Item = f64>,
    range: [f64; 2],
) -> Picture {
    let height = scalars.len() / width.max(1);
    Picture {
        width,
        height,
        bytes: scalars.map(|scalar| level(scalar, range)).collect(),
    }
}

/// A scalar as a byte; 0 if it is NaN.
pub(super) fn level(scalar: f64, [least, most]: [f64; 2]) -> u8 {
    let span = most - least;
    let share = if span > 0.0 {
        (scalar - least) / span
    } else {
        0.5
    };
    (share * 255.0).round().clamp(0.0, 255.0) as u8
}

/// Colours by sign: blue below zero, white at it, red above; the deepest at `most`.
pub(super) fn signed(
    width: usize,
    scalars: impl ExactSizeIterator<Item = f64>,
    most: f64,
) -> Picture {
    let height = scalars.len() / width.max(1);
    let ends = [[33.0, 102.0, 172.0], [178.0, 24.0, 43.0]];
    let colour = |scalar: f64| {
        let share = if most > 0.0 {
            (scalar / most).clamp(-1.0, 1.0)
        } else {
            0.0
        };
        let share = if share.is_nan() { 0.0 } else { share };
        let end = ends[usize::from(share > 0.0)];
        end.map(|end| (247.0 + (end - 247.0) * share.abs()).round() as u8)
    };
    Picture {
        width,
        height,
        bytes: scalars.flat_map(colour).collect(),
    }
}

/// An image as people see it: of three slices in colour, else the first one in grey. Where its scalars are not in
/// [0, 1], each slice is stretched to its own range: it was normalised.
pub(super) fn image(shape: [usize; 3], scalars: &[f64]) -> Picture {
    let [height, width, depth] = shape;
    let shown = if depth == 3 { 3 } else { 1 };
    let inside = scalars.iter().all(|scalar| (0.0..=1.0).contains(scalar));
    let range = |d: usize| match inside {
        true => [0.0, 1.0],
        false => crate::memory::seen::range(scalars.iter().skip(d).step_by(depth.max(1)).copied()),
    };
    let ranges: Vec<_> = (0..shown).map(range).collect();
    let columns = scalars.chunks_exact(depth.max(1));
    let bytes = columns.flat_map(|column| {
        let levels = column.iter().zip(&ranges);
        levels
            .map(|(&scalar, &range)| level(scalar, range))
            .collect::<Vec<_>>()
    });
    Picture {
        width,
        height,
        bytes: bytes.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_comes_back() {
        let picture = grey(2, [0.0, 1.0, 0.5, -3.0].into_iter(), [0.0, 1.0]);
        assert_eq!(picture.bytes, [0, 255, 128, 0]);
        let file = picture.encoded().expect("it is a picture");
        let mut reader = png::Decoder::new(std::io::Cursor::new(file))
            .read_info()
            .expect("it is PNG");
        let mut bytes = vec![0; 4];
        let info = reader.next_frame(&mut bytes).expect("it has pixels");
        assert_eq!((info.width, info.height, &bytes), (2, 2, &picture.bytes));
        assert!(picture.source().starts_with("data:image/png;base64,iVBOR"));
    }

    #[test]
    fn zero_is_white_and_nan_is_no_colour() {
        let picture = signed(3, [0.0, 2.0, f64::NAN].into_iter(), 2.0);
        assert_eq!(picture.bytes, [247, 247, 247, 178, 24, 43, 247, 247, 247]);
        assert_eq!(level(f64::NAN, [0.0, 1.0]), 0);
        assert_eq!(level(7.0, [7.0, 7.0]), 128);
    }

    #[test]
    fn an_image_of_three_slices_has_colours() {
        assert_eq!(image([1, 1, 3], &[0.0, 1.0, 0.2]).bytes, [0, 255, 51]);
        // Normalised: each slice to its own range.
        let two = image([1, 2, 1], &[-1.0, 3.0]);
        assert_eq!((two.width, two.bytes), (2, vec![0, 255]));
        assert_eq!(image([1, 1, 5], &[1.0; 5]).bytes, [255]);
    }
}
