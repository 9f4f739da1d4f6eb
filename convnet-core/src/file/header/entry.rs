//! What a header says of one tensor.

use super::json::Json;
use super::{Defect, Header, Name, ok};

/// One tensor of a file: numbers alone, since the compiler is slow with many references.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    /// Where the name stands in the header, and how long it is.
    name: [usize; 2],
    /// By which names are sorted, before they are compared: far fewer steps.
    pub(super) hash: u64,
    /// Which of [`DTYPES`].
    dtype: usize,
    /// Where the shape stands in the header.
    shape: usize,
    pub(super) from: usize,
    pub(super) until: usize,
}

/// Every dtype of the format, and how many bits a scalar has.
const DTYPES: [(&str, usize); 22] = [
    ("F32", 32),
    ("F64", 64),
    ("F16", 16),
    ("BF16", 16),
    ("I64", 64),
    ("I32", 32),
    ("I16", 16),
    ("I8", 8),
    ("U64", 64),
    ("U32", 32),
    ("U16", 16),
    ("U8", 8),
    ("BOOL", 8),
    ("C64", 64),
    ("F8_E5M2", 8),
    ("F8_E4M3", 8),
    ("F8_E8M0", 8),
    ("F8_E4M3FNUZ", 8),
    ("F8_E5M2FNUZ", 8),
    ("F6_E2M3", 6),
    ("F6_E3M2", 6),
    ("F4", 4),
];

impl Entry {
    /// Nothing, where something will be.
    pub(crate) const NONE: Self = Self {
        name: [0; 2],
        hash: 0,
        dtype: 0,
        shape: 0,
        from: 0,
        until: 0,
    };

    /// `:{"dtype":"F32","shape":[12],"data_offsets":[0,48]}`, in any order, right behind the name.
    pub(super) const fn read<'a>(name: Name<'a>, json: &mut Json<'a>) -> Result<Self, Defect<'a>> {
        // Behind the name is its quote.
        let at = json.at() - 1 - name.length();
        ok!(json.expect(b':', "`:`"));
        let (mut dtype, mut shape, mut place) = (None, None, None);
        let mut twice = false;
        ok!(json.expect(b'{', "`{`"));
        let mut more = !json.take(b'}');
        while more {
            let key = ok!(json.string());
            ok!(json.expect(b':', "`:`"));
            if key.is_text("dtype") {
                twice |= dtype.is_some();
                dtype = Some(ok!(json.string()));
            } else if key.is_text("shape") {
                twice |= shape.is_some();
                shape = Some((json.at(), ok!(scalars(json, name))));
            } else if key.is_text("data_offsets") {
                twice |= place.is_some();
                place = Some(ok!(pair(json)));
            } else {
                ok!(json.value());
            }
            more = !json.take(b'}');
            if more {
                ok!(json.expect(b',', "`,` or `}`"));
            }
        }
        if twice {
            let reason = "has its `dtype`, `shape` or `data_offsets` twice";
            return Err(Defect::Tensor(name, reason));
        }
        let (Some(dtype), Some((shape, scalars)), Some([from, until])) = (dtype, shape, place)
        else {
            let reason = "has no `dtype`, `shape` or `data_offsets`";
            return Err(Defect::Tensor(name, reason));
        };
        let Some(dtype) = known(dtype) else {
            return Err(Defect::Tensor(name, "has a `dtype` that is none"));
        };
        match (
            until.checked_sub(from),
            scalars.checked_mul(DTYPES[dtype].1),
        ) {
            (Some(bytes), Some(bits)) if bits.is_multiple_of(8) && bytes == bits / 8 => {}
            _ => {
                let reason = "has a place that is not as long as its shape says";
                return Err(Defect::Tensor(name, reason));
            }
        }
        Ok(Self {
            name: [at, name.length()],
            hash: name.hash(),
            dtype,
            shape,
            from,
            until,
        })
    }

    /// What the tensor is called in the file of `header`, as the others here.
    pub(crate) const fn name<'a>(&self, header: &Header<'a>) -> Name<'a> {
        let [at, length] = self.name;
        Name::written(header.json.split_at(at).1.split_at(length).0)
    }

    /// What its scalars are.
    pub(crate) const fn dtype(&self) -> &'static str {
        DTYPES[self.dtype].0
    }

    /// The axes, the first outermost.
    pub(crate) const fn axes<'a>(&self, header: &Header<'a>) -> Axes<'a> {
        Axes {
            json: Json::new(header.json.split_at(self.shape).1),
            begun: false,
        }
    }

    /// Whether the axes are `expected`.
    pub(crate) const fn has_shape(&self, header: &Header<'_>, expected: &[usize]) -> bool {
        let (mut axes, mut axis) = (self.axes(header), 0);
        while let Some(length) = axes.next() {
            if axis == expected.len() || length != expected[axis] {
                return false;
            }
            axis += 1;
        }
        axis == expected.len()
    }

    /// The scalars, once the header was checked.
    pub(crate) const fn bytes<'a>(&self, header: &Header<'a>) -> &'a [u8] {
        header.data.split_at(self.until).0.split_at(self.from).1
    }
}

/// Axis by axis through a shape that was read once.
pub(crate) struct Axes<'a> {
    json: Json<'a>,
    begun: bool,
}

impl Axes<'_> {
    /// The next length.
    pub(crate) const fn next(&mut self) -> Option<usize> {
        if !self.json.take(if self.begun { b',' } else { b'[' }) {
            return None;
        }
        self.begun = true;
        match self.json.number() {
            Ok(length) => Some(length),
            Err(_) => None,
        }
    }
}

/// `[3,3,1,16]`: how many scalars that makes.
const fn scalars<'a>(json: &mut Json<'a>, name: Name<'a>) -> Result<usize, Defect<'a>> {
    ok!(json.expect(b'[', "`[`"));
    let mut scalars = 1usize;
    let mut more = !json.take(b']');
    while more {
        scalars = match scalars.checked_mul(ok!(json.number())) {
            Some(scalars) => scalars,
            None => return Err(Defect::Tensor(name, "has a shape of too many scalars")),
        };
        more = !json.take(b']');
        if more {
            ok!(json.expect(b',', "`,` or `]`"));
        }
    }
    Ok(scalars)
}

/// `[0,48]`.
const fn pair<'a>(json: &mut Json<'a>) -> Result<[usize; 2], Defect<'a>> {
    ok!(json.expect(b'[', "`[`"));
    let from = ok!(json.number());
    ok!(json.expect(b',', "`,`"));
    let until = ok!(json.number());
    ok!(json.expect(b']', "`]`"));
    Ok([from, until])
}

/// Which of [`DTYPES`] it is.
const fn known(dtype: Name<'_>) -> Option<usize> {
    let mut index = 0;
    while index < DTYPES.len() {
        if dtype.is_text(DTYPES[index].0) {
            return Some(index);
        }
        index += 1;
    }
    None
}
