//! Image files, by the crate `image`.

use std::error::Error;
use std::fmt;
use std::io::Cursor;

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use image::imageops::FilterType;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageReader, ImageResult, Limits};

use super::Sizing;

/// Why an image file was not read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PictureError {
    /// It is damaged, or no image in a format that is known.
    Undecodable {
        /// What the decoder says.
        reason: String,
    },
    /// It has another size, and [`Sizing::Refuse`] was asked for.
    Size {
        /// Height and width of the network's images.
        expected: [usize; 2],
        /// Height and width of the file's.
        found: [usize; 2],
    },
    /// No picture has so many numbers a pixel.
    Depth {
        /// The depth asked for.
        depth: usize,
    },
}

/// The pixels of an image file as `[height][width][depth]`. Depth 1 is gray, 2 gray and alpha, 3 red, green,
/// blue, and 4 with alpha. It is turned upright, if the file says how it was taken.
pub(crate) fn decode(
    bytes: &[u8],
    [height, width, depth]: [usize; 3],
    sizing: Sizing,
) -> Result<Vec<u8>, PictureError> {
    let picture = open(bytes).map_err(|error| PictureError::Undecodable {
        reason: error.to_string(),
    })?;
    let found = [picture.height(), picture.width()].map(|side| side as usize);
    let picture = if found == [height, width] {
        picture
    } else {
        // A side of more than u32 is none that a network has.
        let [h, w] = [height, width].map(|side| u32::try_from(side).unwrap_or(u32::MAX));
        match sizing {
            Sizing::Stretch => picture.resize_exact(w, h, FilterType::Triangle),
            Sizing::Crop => picture.resize_to_fill(w, h, FilterType::Triangle),
            Sizing::Refuse => {
                let expected = [height, width];
                return Err(PictureError::Size { expected, found });
            }
        }
    };
    match depth {
        1 => Ok(picture.into_luma8().into_raw()),
        2 => Ok(picture.into_luma_alpha8().into_raw()),
        3 => Ok(picture.into_rgb8().into_raw()),
        4 => Ok(picture.into_rgba8().into_raw()),
        _ => Err(PictureError::Depth { depth }),
    }
}

fn open(bytes: &[u8]) -> ImageResult<DynamicImage> {
    let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format()?;
    let mut decoder = reader.into_decoder()?;
    decoder.set_limits(Limits::default())?;
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut picture = DynamicImage::from_decoder(decoder)?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

impl fmt::Display for PictureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Undecodable { reason } => write!(
                f,
                "no image that can be read: {reason} (PNG, JPEG, GIF, WebP, BMP and PNM are known)"
            ),
            Self::Size {
                expected: [h, w],
                found: [height, width],
            } => write!(
                f,
                "{width}x{height}, where {w}x{h} is expected; `Sizing::Stretch` and `Sizing::Crop` resize"
            ),
            Self::Depth { depth } => write!(
                f,
                "an image file has no depth of {depth}: 1 is gray, 3 red, green, blue, and 2 and 4 are those \
                 with alpha"
            ),
        }
    }
}

impl Error for PictureError {}
