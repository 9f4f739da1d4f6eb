//! FlatBuffers, as far as reading a table takes it: every place is looked up within the file, and what is not there
//! is `None`.
//!
//! ```text
//!  table ──i32──▶ its list of places: bytes in the list, bytes in the table, a u16 a field, 0 for one left out
//!    └─ place ─▶ a number, or how far on a string, a vector or another table begins
//! ```
//!
//! The readers that `flatc` generates of the schema are 20,000 lines, most of them unsafe; of its tables eight matter here.

/// A table in a file.
#[derive(Clone, Copy)]
pub(super) struct Table<'a> {
    file: &'a [u8],
    at: usize,
}

impl<'a> Table<'a> {
    /// The table that a file is.
    pub(super) fn root(file: &'a [u8]) -> Option<Self> {
        let at = further(file, 0)?;
        Some(Self { file, at })
    }

    /// One without fields.
    pub(super) fn empty() -> Self {
        Self { file: &[], at: 0 }
    }

    /// Where field `id` lies.
    fn place(self, id: usize) -> Option<usize> {
        let back = i32::from_le_bytes(bytes(self.file, self.at)?);
        let list = self
            .at
            .checked_add_signed(0_isize.checked_sub(back as isize)?)?;
        let len = u16::from_le_bytes(bytes(self.file, list)?);
        let entry = 4 + 2 * id;
        if entry + 2 > usize::from(len) {
            return None;
        }
        match u16::from_le_bytes(bytes(self.file, list.checked_add(entry)?)?) {
            0 => None,
            place => self.at.checked_add(usize::from(place)),
        }
    }

    /// The bytes of a number.
    fn number<const N: usize>(self, id: usize) -> Option<[u8; N]> {
        bytes(self.file, self.place(id)?)
    }

    pub(super) fn byte(self, id: usize) -> u8 {
        self.number(id).map_or(0, u8::from_le_bytes)
    }

    pub(super) fn int(self, id: usize, default: i32) -> i32 {
        self.number(id).map_or(default, i32::from_le_bytes)
    }

    pub(super) fn long(self, id: usize) -> u64 {
        self.number(id).map_or(0, u64::from_le_bytes)
    }

    pub(super) fn float(self, id: usize) -> f32 {
        self.number(id).map_or(0.0, f32::from_le_bytes)
    }

    pub(super) fn table(self, id: usize) -> Option<Self> {
        let at = further(self.file, self.place(id)?)?;
        Some(Self { at, ..self })
    }

    /// The elements of a vector, each of `N` bytes.
    pub(super) fn vector<const N: usize>(self, id: usize) -> Option<&'a [[u8; N]]> {
        let at = further(self.file, self.place(id)?)?;
        let len = u32::from_le_bytes(bytes(self.file, at)?) as usize;
        let from = at + 4;
        let all = self
            .file
            .get(from..from.checked_add(len.checked_mul(N)?)?)?;
        Some(all.as_chunks().0)
    }

    pub(super) fn ints(self, id: usize) -> Vec<i32> {
        let all = self.vector(id).unwrap_or_default().iter();
        all.map(|it| i32::from_le_bytes(*it)).collect()
    }

    pub(super) fn floats(self, id: usize) -> Vec<f32> {
        let all = self.vector(id).unwrap_or_default().iter();
        all.map(|it| f32::from_le_bytes(*it)).collect()
    }

    pub(super) fn longs(self, id: usize) -> Vec<i64> {
        let all = self.vector(id).unwrap_or_default().iter();
        all.map(|it| i64::from_le_bytes(*it)).collect()
    }

    /// A string; empty if it is none.
    pub(super) fn text(self, id: usize) -> &'a str {
        let bytes = self.vector::<1>(id).unwrap_or_default().as_flattened();
        std::str::from_utf8(bytes).unwrap_or_default()
    }

    /// The tables of a vector; one that lies outside of the file is left out.
    pub(super) fn tables(self, id: usize) -> Vec<Self> {
        let Some(all) = self.vector::<4>(id) else {
            return Vec::new();
        };
        let first = all.as_ptr().addr() - self.file.as_ptr().addr();
        let tables = (0..all.len()).map(|at| further(self.file, first + 4 * at));
        tables.flatten().map(|at| Self { at, ..self }).collect()
    }
}

/// Where what is referred to at `at` begins.
fn further(file: &[u8], at: usize) -> Option<usize> {
    at.checked_add(u32::from_le_bytes(bytes(file, at)?) as usize)
}

fn bytes<const N: usize>(file: &[u8], at: usize) -> Option<[u8; N]> {
    file.get(at..)?.first_chunk().copied()
}
