//! Text that a `const fn` can write: what is shown by `panic!("{}", …)` while a program compiles.

use core::fmt;

/// A message, lines separated by `\n`.
pub type Message = Text<1024>;

/// What the nth layer of a word is called that has no name: `conv2`; and `relu6_2`, where the word ends in a digit.
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::text::counted;
///
/// assert_eq!(counted("conv", 10).as_str(), "conv10");
/// assert_eq!(counted("relu6", 10).as_str(), "relu6_10");
/// ```
#[must_use]
pub const fn counted(word: &str, nth: usize) -> Text<64> {
    let mut text = Text::new();
    text.push_str(word);
    if let [.., b'0'..=b'9'] = word.as_bytes() {
        text.push_str("_");
    }
    text.push_number(nth);
    text
}

/// At most `N` bytes of text. What is beyond is cut off, between two characters.
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::text::Text;
///
/// const GREETING: Text<32> = {
///     let mut text = Text::new();
///     text.push_str("conv").push_number(96);
///     text
/// };
/// assert_eq!(GREETING.as_str(), "conv96");
/// ```
#[derive(Clone, Copy)]
pub struct Text<const N: usize> {
    bytes: [u8; N],
    len: usize,
    cut: bool,
}

impl<const N: usize> Text<N> {
    /// No text.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            bytes: [0; N],
            len: 0,
            cut: false,
        }
    }

    /// Appends a string.
    pub const fn push_str(&mut self, string: &str) -> &mut Self {
        let room = N - self.len;
        let mut len = if self.cut { 0 } else { string.len() };
        if len > room {
            len = room;
            while !string.is_char_boundary(len) {
                len -= 1;
            }
            self.cut = true;
        }
        let end = self.bytes.split_at_mut(self.len).1;
        end.split_at_mut(len)
            .0
            .copy_from_slice(string.as_bytes().split_at(len).0);
        self.len += len;
        self
    }

    /// Appends a number in decimal.
    pub const fn push_number(&mut self, number: usize) -> &mut Self {
        const DIGITS: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
        if number >= 10 {
            self.push_number(number / 10);
        }
        self.push_str(DIGITS[number % 10])
    }

    /// Appends a number to six digits: `-1.25e-5`.
    pub const fn push_real(&mut self, number: f64) -> &mut Self {
        if number.is_nan() {
            return self.push_str("NaN");
        }
        if number < 0.0 {
            self.push_str("-");
        }
        let mut rest = number.abs();
        if rest == 0.0 || rest == f64::INFINITY {
            return self.push_str(if rest == 0.0 { "0" } else { "inf" });
        }
        let (mut above, mut below) = (0, 0);
        while rest >= 10.0 {
            rest /= 10.0;
            above += 1;
        }
        while rest < 1.0 {
            rest *= 10.0;
            below += 1;
        }
        // Rounded, so that what an f32 makes of 1e-5 reads so.
        let mut digits = (rest * 1e5 + 0.5) as usize;
        if digits == 1_000_000 {
            digits = 100_000;
            (above, below) = if below > 0 {
                (above, below - 1)
            } else {
                (above + 1, 0)
            };
        }
        self.push_number(digits / 100_000);
        let (mut behind, mut place) = (digits % 100_000, 10_000);
        if behind > 0 {
            self.push_str(".");
        }
        while behind > 0 {
            self.push_number(behind / place);
            behind %= place;
            place /= 10;
        }
        if below > 0 {
            self.push_str("e-").push_number(below);
        } else if above > 0 {
            self.push_str("e").push_number(above);
        }
        self
    }

    /// Appends a volume of `[height, width, depth]`, width first: `32x32x3`.
    pub const fn push_volume(&mut self, [height, width, depth]: [usize; 3]) -> &mut Self {
        self.push_number(width).push_str("x").push_number(height);
        self.push_str("x").push_number(depth)
    }

    /// The text.
    #[must_use]
    pub const fn as_str(&self) -> &str {
        match str::from_utf8(self.bytes.split_at(self.len).0) {
            Ok(string) => string,
            // Only whole characters were copied.
            Err(_) => "",
        }
    }

    /// Whether something was cut off.
    #[must_use]
    pub const fn is_cut(&self) -> bool {
        self.cut
    }
}

impl<const N: usize> Default for Text<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> fmt::Display for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl<const N: usize> fmt::Debug for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// Whether two texts are the same, in a constant.
pub(crate) const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut at = 0;
    while at < a.len() {
        if a[at] != b[at] {
            return false;
        }
        at += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_in_decimal() {
        let mut text = Text::<64>::new();
        text.push_number(0)
            .push_str(" ")
            .push_number(10)
            .push_str(" ")
            .push_number(usize::MAX);
        assert_eq!(text.as_str(), std::format!("0 10 {}", usize::MAX));
    }

    #[test]
    fn reals_are_written_to_six_digits() {
        for (real, written) in [
            (f64::from(-2e-5_f32), "-2e-5"),
            (f64::from(1e-5_f32), "1e-5"),
            (-1.25, "-1.25"),
            (0.0, "0"),
            (9.999_999, "1e1"),
            (0.999_999_9, "1"),
            (-123_456.4, "-1.23456e5"),
            (1.02e-7, "1.02e-7"),
            (f64::MIN_POSITIVE, "2.22507e-308"),
            (f64::MAX, "1.79769e308"),
            (f64::NEG_INFINITY, "-inf"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(Text::<16>::new().push_real(real).as_str(), written);
        }
    }

    #[test]
    fn text_is_cut_between_characters_and_stays_cut() {
        let mut text = Text::<4>::new();
        text.push_str("ab·").push_str("·").push_str("c");
        assert_eq!((text.as_str(), text.is_cut()), ("ab·", true));
    }
}
