//! # A safetensors file's header, read by a `const fn`
//!
//! ```text
//!  n : u64 │ {"conv1.bias":{"dtype":"F32","shape":[12],"data_offsets":[0,48]},…}   │ data
//!          │ └──────────── an entry ───────────────────────────────────────────┘    │
//! ```
//!
//! The one grammar of weight files: `weights!` reads with it while a program is compiled, and
//! `weights::load` while it runs. Read `json`, then `entry`.
//!
//! **Invariant:** after [`Header::check`] every tensor has a name, a dtype and a shape of its own, and
//! the tensors fill the data from its first byte to its last, none twice.

mod defect;
mod entry;
mod json;
mod name;
mod sort;

/// `?`, for a `const fn`.
macro_rules! ok {
    ($result:expr) => {
        match $result {
            Ok(value) => value,
            Err(defect) => return Err(defect),
        }
    };
}
use ok;

pub(crate) use defect::Defect;
pub(crate) use entry::Entry;
pub(crate) use json::Json;
pub(crate) use name::Name;

use sort::{Key, sort};

/// The file, cut in two.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Header<'a> {
    json: &'a [u8],
    pub(crate) data: &'a [u8],
}

/// What is said of `model.pt`: how it becomes a file that executes nothing.
const PICKLE: &str = "it is a pickle, as `torch.save` writes it\n\
    python3 -c \"import torch, safetensors.torch as s; s.save_file({k: v.contiguous() for k, v in \
    torch.load('model.pt', map_location='cpu', weights_only=True).items()}, 'model.safetensors')\" \
    converts a state dict";

impl<'a> Header<'a> {
    /// The header of `file`, if its beginning is one.
    pub(crate) const fn of(file: &'a [u8]) -> Result<Self, Defect<'a>> {
        /// The format's own limit.
        const LARGEST: u64 = 100_000_000;
        let Some((length, rest)) = file.split_first_chunk::<8>() else {
            let found = file.len();
            return Err(Defect::Length { expected: 8, found });
        };
        let length = u64::from_le_bytes(*length);
        if length > LARGEST {
            return Err(Defect::File(match file {
                // A zip, or the second version of pickles.
                [b'P', b'K', 3, 4, ..] | [0x80, 2, ..] => PICKLE,
                _ => "it begins with no length of a header",
            }));
        }
        // At most 10⁸, so this fits.
        let length = length as usize;
        if length > rest.len() {
            let (expected, found) = (8 + length, file.len());
            return Err(Defect::Length { expected, found });
        }
        let (json, data) = rest.split_at(length);
        if str::from_utf8(json).is_err() {
            return Err(Defect::File("its header is not UTF-8"));
        }
        Ok(Self { json, data })
    }

    /// The tensors, in the order of the text.
    pub(crate) const fn entries(&self) -> Entries<'a> {
        Entries {
            json: Json::new(self.json),
            begun: false,
            metadata: None,
        }
    }

    /// Whether `entries`, which are all, have names of their own and fill the data; they are sorted by
    /// their places.
    pub(crate) const fn check(&self, entries: &mut [Entry]) -> Result<(), Defect<'a>> {
        sort(self, entries, Key::Name);
        let mut index = 1;
        while index < entries.len() {
            let [a, b] = [&entries[index - 1], &entries[index]];
            if a.hash == b.hash && a.name(self).is(b.name(self)) {
                return Err(Defect::Twice(a.name(self)));
            }
            index += 1;
        }
        sort(self, entries, Key::Place);
        let (mut end, mut index) = (0, 0);
        while index < entries.len() {
            let entry = &entries[index];
            let name = entry.name(self);
            if entry.from < end {
                let reason = "shares bytes with another tensor";
                return Err(Defect::Tensor(name, reason));
            }
            if entry.from > end {
                let reason = "begins behind bytes of no tensor";
                return Err(Defect::Tensor(name, reason));
            }
            end = entry.until;
            index += 1;
        }
        let before = 8 + self.json.len();
        if end != self.data.len() {
            return Err(Defect::Length {
                expected: before.saturating_add(end),
                found: before + self.data.len(),
            });
        }
        Ok(())
    }
}

/// Tensor by tensor through the header.
pub(crate) struct Entries<'a> {
    json: Json<'a>,
    begun: bool,
    /// `{"said":"by a program"}`, if the file has it and it was passed.
    pub(crate) metadata: Option<Json<'a>>,
}

impl<'a> Entries<'a> {
    /// The next tensor; `None` after the last.
    pub(crate) const fn next(&mut self) -> Result<Option<Entry>, Defect<'a>> {
        loop {
            if !self.begun {
                self.begun = true;
                ok!(self.json.first(b'{', "`{`"));
                if self.json.take(b'}') {
                    return self.end();
                }
            } else if self.json.take(b'}') {
                return self.end();
            } else {
                ok!(self.json.expect(b',', "`,` or `}`"));
            }
            let name = ok!(self.json.string());
            if !name.is_text("__metadata__") {
                return match Entry::read(name, &mut self.json) {
                    Ok(entry) => Ok(Some(entry)),
                    Err(defect) => Err(defect),
                };
            }
            if self.metadata.is_some() {
                return Err(Defect::Twice(name));
            }
            ok!(self.json.expect(b':', "`:`"));
            self.metadata = Some(self.json);
            ok!(self.json.texts());
        }
    }

    const fn end(&mut self) -> Result<Option<Entry>, Defect<'a>> {
        if self.json.ends() {
            // What is asked again gets the same answer.
            self.json.back();
            return Ok(None);
        }
        Err(self.json.expected("the end"))
    }
}
