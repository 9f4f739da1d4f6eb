//! A safetensors file's header, read by a `const fn`.
//!
//! ```text
//!  n : u64 │ {"conv1.bias":{"dtype":"F32","shape":[12],"data_offsets":[0,48]},…}   │ data
//!          │ └──────────── an entry ───────────────────────────────────────────┘    │
//! ```
//!
//! JSON as far as the format needs it: names are compared as they are written, so a name with an
//! escape is none of ours. `"__metadata__"` and unknown keys are skipped.

use super::{Message, message, same};

/// The file, cut in two.
#[derive(Clone, Copy)]
pub(super) struct Header<'a> {
    json: &'a [u8],
    data: &'a [u8],
}

/// What the header says of one tensor.
#[derive(Clone, Copy)]
pub(super) struct Entry<'a> {
    pub(super) name: &'a [u8],
    pub(super) dtype: &'a [u8],
    /// As it is written: `[3, 3, 1, 16]`.
    pub(super) shape: &'a [u8],
    from: usize,
    until: usize,
}

impl<'a> Header<'a> {
    /// The header of `file`, if its beginning is one.
    pub(super) const fn of(file: &'a [u8]) -> Result<Self, Message> {
        /// The format's own limit.
        const LARGEST: u64 = 100_000_000;
        let Some((length, rest)) = file.split_first_chunk::<8>() else {
            return Err(message::no_file("it has fewer than 8 bytes"));
        };
        let length = u64::from_le_bytes(*length);
        if length > LARGEST {
            return Err(message::no_file("it begins with no length of a header"));
        }
        // At most 10⁸, so this fits.
        let length = length as usize;
        if length > rest.len() {
            return Err(message::length(8 + length, file.len()));
        }
        let (json, data) = rest.split_at(length);
        Ok(Self { json, data })
    }

    /// The tensors, in the file's order.
    pub(super) const fn entries(&self) -> Entries<'a> {
        Entries {
            json: Json {
                bytes: self.json,
                at: 0,
            },
            begun: false,
        }
    }

    /// The bytes of a tensor that has `length` of them.
    pub(super) const fn data(&self, entry: &Entry<'_>, length: usize) -> Result<&'a [u8], Message> {
        let Entry { from, until, .. } = *entry;
        if from > until || until - from != length {
            return Err(message::no_file(
                "a tensor's place is not as long as its shape says",
            ));
        }
        if until > self.data.len() {
            return self.wrong_length(until);
        }
        Ok(self.data.split_at(until).0.split_at(from).1)
    }

    /// Whether the data ends where the last tensor does.
    pub(super) const fn check_length(&self) -> Result<(), Message> {
        let (mut entries, mut end) = (self.entries(), 0);
        while let Ok(Some(entry)) = entries.next() {
            if entry.until > end {
                end = entry.until;
            }
        }
        if end == self.data.len() {
            return Ok(());
        }
        match self.wrong_length(end) {
            Ok(_) => Ok(()),
            Err(message) => Err(message),
        }
    }

    const fn wrong_length(&self, end: usize) -> Result<&'a [u8], Message> {
        let before = 8 + self.json.len();
        Err(message::length(before + end, before + self.data.len()))
    }
}

impl Entry<'_> {
    /// Whether the axes are `expected`.
    pub(super) const fn has_shape(&self, expected: &[usize]) -> bool {
        let mut json = Json {
            bytes: self.shape,
            at: 0,
        };
        let mut axis = 0;
        let mut open = b'[';
        while axis < expected.len() {
            if !json.take(open) {
                return false;
            }
            match json.number() {
                Some(number) if number == expected[axis] => {}
                _ => return false,
            }
            open = b',';
            axis += 1;
        }
        (axis > 0 || json.take(b'[')) && json.take(b']')
    }
}

/// Tensor by tensor through the header.
pub(super) struct Entries<'a> {
    json: Json<'a>,
    begun: bool,
}

impl<'a> Entries<'a> {
    /// The next tensor; `None` after the last.
    pub(super) const fn next(&mut self) -> Result<Option<Entry<'a>>, Message> {
        match self.read() {
            Some(entry) => Ok(entry),
            None => Err(message::no_file("its header is not JSON of the kind")),
        }
    }

    /// `None`: this is not how a header is written.
    const fn read(&mut self) -> Option<Option<Entry<'a>>> {
        loop {
            if !self.begun {
                self.begun = true;
                if !self.json.take(b'{') {
                    return None;
                }
                if self.json.take(b'}') {
                    return self.end();
                }
            } else if self.json.take(b'}') {
                return self.end();
            } else if !self.json.take(b',') {
                return None;
            }
            let Some(name) = self.json.string() else {
                return None;
            };
            if !self.json.take(b':') {
                return None;
            }
            if !same(name, b"__metadata__") {
                return match self.entry(name) {
                    Some(entry) => Some(Some(entry)),
                    None => None,
                };
            }
            if self.json.value().is_none() {
                return None;
            }
        }
    }

    const fn end(&mut self) -> Option<Option<Entry<'a>>> {
        // What is asked again gets the same answer.
        self.json.at -= 1;
        Some(None)
    }

    /// `{"dtype":"F32","shape":[12],"data_offsets":[0,48]}`, in any order.
    const fn entry(&mut self, name: &'a [u8]) -> Option<Entry<'a>> {
        let (mut dtype, mut shape, mut place) = (None, None, None);
        let mut open = b'{';
        loop {
            if !self.json.take(open) {
                break;
            }
            open = b',';
            let Some(key) = self.json.string() else {
                return None;
            };
            if !self.json.take(b':') {
                return None;
            }
            if same(key, b"dtype") {
                dtype = self.json.string();
            } else if same(key, b"shape") {
                shape = self.json.value();
            } else if same(key, b"data_offsets") {
                place = self.json.pair();
            } else if self.json.value().is_none() {
                return None;
            }
        }
        match (self.json.take(b'}'), dtype, shape, place) {
            (true, Some(dtype), Some(shape), Some([from, until])) => Some(Entry {
                name,
                dtype,
                shape,
                from,
                until,
            }),
            _ => None,
        }
    }
}

/// A place in a text of JSON. What is looked for may stand after spaces.
struct Json<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Json<'a> {
    /// The byte that comes, spaces left out; 0 at the end.
    const fn peek(&mut self) -> u8 {
        while self.at < self.bytes.len() {
            match self.bytes[self.at] {
                b' ' | b'\n' | b'\r' | b'\t' => self.at += 1,
                byte => return byte,
            }
        }
        0
    }

    /// Steps over `byte`, if it is what comes.
    const fn take(&mut self, byte: u8) -> bool {
        let comes = self.peek() == byte && self.at < self.bytes.len();
        if comes {
            self.at += 1;
        }
        comes
    }

    /// What stands between quotes, escapes as they are written.
    const fn string(&mut self) -> Option<&'a [u8]> {
        if !self.take(b'"') {
            return None;
        }
        let from = self.at;
        while self.at < self.bytes.len() {
            match self.bytes[self.at] {
                b'"' => {
                    self.at += 1;
                    return Some(self.bytes.split_at(self.at - 1).0.split_at(from).1);
                }
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        None
    }

    const fn number(&mut self) -> Option<usize> {
        if !self.peek().is_ascii_digit() {
            return None;
        }
        let mut number = 0usize;
        while self.at < self.bytes.len() && self.bytes[self.at].is_ascii_digit() {
            let digit = (self.bytes[self.at] - b'0') as usize;
            number = match number.checked_mul(10) {
                Some(tens) => tens.saturating_add(digit),
                None => return None,
            };
            self.at += 1;
        }
        Some(number)
    }

    /// `[0,48]`.
    const fn pair(&mut self) -> Option<[usize; 2]> {
        if !self.take(b'[') {
            return None;
        }
        let Some(first) = self.number() else {
            return None;
        };
        if !self.take(b',') {
            return None;
        }
        match self.number() {
            Some(second) if self.take(b']') => Some([first, second]),
            _ => None,
        }
    }

    /// Any value, as it is written.
    const fn value(&mut self) -> Option<&'a [u8]> {
        let first = self.peek();
        let (from, mut depth) = (self.at, 0usize);
        if matches!(first, 0 | b',' | b':' | b']' | b'}') {
            return None;
        }
        while self.at < self.bytes.len() {
            match self.bytes[self.at] {
                b'"' => {
                    if self.string().is_none() {
                        return None;
                    }
                    continue;
                }
                b'[' | b'{' => depth += 1,
                b',' | b']' | b'}' if depth == 0 => break,
                b']' | b'}' => depth -= 1,
                _ => {}
            }
            self.at += 1;
        }
        Some(self.bytes.split_at(self.at).0.split_at(from).1)
    }
}
