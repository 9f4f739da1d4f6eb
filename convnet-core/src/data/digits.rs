//! The UCI digits: 8x8 pixels from 0 to 16.

use std::path::Path;

use super::{DataError, Defect, Images, Normalisation, file};

const REMEDY: &str = "examples/data/digits.csv.gz of this crate's repository is one; so is \
    sklearn/datasets/data/digits.csv.gz of scikit-learn";

/// The handwritten digits of a CSV file, gzipped or not: a line an image, its 64 pixels from 0 to
/// 16, then the digit. A pixel is read as `p / 16`.
///
/// Source: E. Alpaydin and C. Kaynak, *Optical Recognition of Handwritten Digits*, UCI Machine
/// Learning Repository, 1998.
///
/// # Errors
///
/// A [`DataError`] that names the file and the line.
pub fn digits(path: impl AsRef<Path>) -> Result<Images, DataError> {
    let path = &file::inside(path.as_ref().to_owned());
    let bytes = file::read(path, REMEDY)?;
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    for (index, line) in String::from_utf8_lossy(&bytes).lines().enumerate() {
        let (image, digit) = parse(index + 1, line).map_err(|defect| defect.at(path))?;
        pixels.extend(image);
        labels.push(digit);
    }
    let images = Images::new([8, 8, 1], 10, pixels, labels).map_err(|error| error.at(path))?;
    images.normalised(&Normalisation::divide(16.0, 1))
}

fn parse(line: usize, text: &str) -> Result<([u8; 64], usize), Defect> {
    let wrong = |expected, found: &str| Defect::Line {
        line,
        expected,
        found: found.to_owned(),
    };
    let mut image = [0; 64];
    let mut cells = text.split(',').map(str::trim);
    for pixel in &mut image {
        let cell = cells
            .next()
            .ok_or_else(|| wrong("64 pixels and a digit", "fewer"))?;
        let value = cell.parse().ok().filter(|&value| value <= 16);
        *pixel = value.ok_or_else(|| wrong("a pixel from 0 to 16", cell))?;
    }
    let cell = cells
        .next()
        .ok_or_else(|| wrong("64 pixels and a digit", "no digit"))?;
    let digit = cell.parse().ok().filter(|&digit| digit < 10);
    let digit = digit.ok_or_else(|| wrong("a digit from 0 to 9", cell))?;
    match cells.next() {
        None => Ok((image, digit)),
        Some(more) => Err(wrong(
            "64 pixels and a digit",
            &format!("`{more}` behind them"),
        )),
    }
}
