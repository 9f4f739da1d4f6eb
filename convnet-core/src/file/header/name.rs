//! A string of JSON as it is written, compared and shown as what it says.

#[cfg(feature = "safetensors")]
use alloc::string::String;

use crate::text::Text;

/// A name in a file: what stands between the quotes. Its escapes are sound, and it is UTF-8.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Name<'a> {
    raw: &'a [u8],
    /// Whether a `\` begins an escape.
    escapes: bool,
}

impl<'a> Name<'a> {
    pub(super) const fn written(raw: &'a [u8]) -> Self {
        Self { raw, escapes: true }
    }

    /// A name that is none of a file.
    pub(crate) const fn plain(name: &'a str) -> Self {
        Self {
            raw: name.as_bytes(),
            escapes: false,
        }
    }

    /// In bytes, as it is written.
    pub(super) const fn length(self) -> usize {
        self.raw.len()
    }

    /// A number of what it says (FNV-1a, of characters).
    pub(super) const fn hash(mut self) -> u64 {
        let mut hash = 0xcbf2_9ce4_8422_2325;
        while !self.raw.is_empty() {
            hash = (hash ^ self.next() as u64).wrapping_mul(0x0100_0000_01b3);
        }
        hash
    }

    /// Whether both say the same.
    pub(crate) const fn is(self, other: Name<'_>) -> bool {
        self.compare(other) == 0
    }

    /// Whether it says `text`.
    pub(crate) const fn is_text(self, text: &str) -> bool {
        self.is(Name::plain(text))
    }

    /// Whether it ends so.
    pub(crate) const fn ends_with(self, end: &str) -> bool {
        self.without(end).is_some()
    }

    /// What stands before `end`, if it ends so.
    pub(crate) const fn without(mut self, end: &str) -> Option<Self> {
        let whole = self;
        loop {
            if self.is_text(end) {
                let length = whole.raw.len() - self.raw.len();
                let raw = whole.raw.split_at(length).0;
                return Some(Self { raw, ..whole });
            }
            if self.next() < 0 {
                return None;
            }
        }
    }

    /// Whether it says what `first` says, and then what `second` says.
    pub(crate) const fn is_both(mut self, mut first: Name<'_>, second: Name<'_>) -> bool {
        while !first.raw.is_empty() {
            if self.next() != first.next() {
                return false;
            }
        }
        self.is(second)
    }

    /// Below 0 if it comes before `other`, above 0 if behind it: in the order of the characters.
    pub(super) const fn compare(mut self, mut other: Name<'_>) -> i64 {
        loop {
            let order = self.next() - other.next();
            if order != 0 || self.raw.is_empty() && other.raw.is_empty() {
                return order;
            }
        }
    }

    /// How near the names are: how many characters they begin with alike, and how many they end with.
    pub(crate) const fn nearness(self, other: Name<'_>) -> usize {
        let (mut a, mut b) = (self, other);
        let mut begin = 0;
        while !a.raw.is_empty() && a.next() == b.next() {
            begin += 1;
        }
        let (mut a, mut b) = (self, other);
        let (long, short) = (a.count(), b.count());
        let mut skipped = 0;
        while long > short + skipped {
            a.next();
            skipped += 1;
        }
        skipped = 0;
        while short > long + skipped {
            b.next();
            skipped += 1;
        }
        let mut end = 0;
        while !a.raw.is_empty() {
            end = if a.next() == b.next() { end + 1 } else { 0 };
        }
        begin + end
    }

    /// In characters.
    const fn count(mut self) -> usize {
        let mut count = 0;
        while self.next() >= 0 {
            count += 1;
        }
        count
    }

    /// Hands what it says to `text`.
    pub(crate) const fn push_to<const N: usize>(mut self, text: &mut Text<N>) {
        while !self.raw.is_empty() {
            if let Some(char) = char::from_u32(self.next() as u32) {
                text.push_str(char.encode_utf8(&mut [0; 4]));
            }
        }
    }

    /// What it says.
    #[cfg(feature = "safetensors")]
    pub(crate) fn to_text(mut self) -> String {
        let mut text = String::with_capacity(self.raw.len());
        while !self.raw.is_empty() {
            text.extend(char::from_u32(self.next() as u32));
        }
        text
    }

    /// The next character's number; −1 at the end.
    const fn next(&mut self) -> i64 {
        let [first, rest @ ..] = self.raw else {
            return -1;
        };
        if *first < 0x80 && (*first != b'\\' || !self.escapes) {
            self.raw = rest;
            return *first as i64;
        }
        let (number, length) = match escape(self.raw) {
            Some(escape) => escape,
            None => wide(self.raw),
        };
        self.raw = self.raw.split_at(length).1;
        number as i64
    }
}

/// The number of the character that an escape at the beginning of `raw` stands for, and the escape's
/// length.
pub(super) const fn escape(raw: &[u8]) -> Option<(u32, usize)> {
    let [b'\\', letter, rest @ ..] = raw else {
        return None;
    };
    let char = match *letter {
        b'"' | b'\\' | b'/' => *letter,
        b'b' => 8,
        b't' => b'\t',
        b'n' => b'\n',
        b'f' => 12,
        b'r' => b'\r',
        b'u' => return unicode(rest),
        _ => return None,
    };
    Some((char as u32, 2))
}

/// The same for `00e9` behind `\u`, or `d83d\ude00`.
const fn unicode(rest: &[u8]) -> Option<(u32, usize)> {
    let Some(first) = hexadecimal(rest) else {
        return None;
    };
    match (first, rest) {
        (0xd800..0xdc00, [_, _, _, _, b'\\', b'u', low @ ..]) => match hexadecimal(low) {
            Some(low @ 0xdc00..0xe000) => {
                Some((0x1_0000 + ((first - 0xd800) << 10) + (low - 0xdc00), 12))
            }
            _ => None,
        },
        // Half of a pair is no character.
        (0xd800..0xe000, _) => None,
        _ => Some((first, 6)),
    }
}

/// The number that four digits at the beginning say.
const fn hexadecimal(rest: &[u8]) -> Option<u32> {
    let Some((digits, _)) = rest.split_first_chunk::<4>() else {
        return None;
    };
    let (mut number, mut index) = (0, 0);
    while index < 4 {
        let digit = match (digits[index] as char).to_digit(16) {
            Some(digit) => digit,
            None => return None,
        };
        number = number * 16 + digit;
        index += 1;
    }
    Some(number)
}

/// The number and the length of a character of two to four bytes at the beginning of UTF-8.
const fn wide(raw: &[u8]) -> (u32, usize) {
    let length = match raw[0].leading_ones() {
        0 => 1,
        ones => ones as usize,
    };
    let (mut number, mut index) = (raw[0] as u32 & (0x7f >> length), 1);
    while index < length {
        number = (number << 6) | (raw[index] as u32 & 0x3f);
        index += 1;
    }
    (number, length)
}
