//! JSON, as far as a header needs it.

use super::{Defect, Name, ok};

/// A place in a text of JSON. What is looked for may stand after spaces.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Json<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Json<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Where it is.
    pub(super) const fn at(&self) -> usize {
        self.at
    }

    /// Steps over `byte`, if it is what comes.
    pub(super) const fn take(&mut self, byte: u8) -> bool {
        let comes = self.peek() == byte && self.at < self.bytes.len();
        if comes {
            self.at += 1;
        }
        comes
    }

    /// Steps over `byte`, which is called `what`.
    pub(super) const fn expect(&mut self, byte: u8, what: &'static str) -> Result<(), Defect<'a>> {
        match self.take(byte) {
            true => Ok(()),
            false => Err(self.expected(what)),
        }
    }

    /// As [`expect`](Self::expect), without a space before it.
    pub(super) const fn first(&mut self, byte: u8, what: &'static str) -> Result<(), Defect<'a>> {
        match self.here() == byte {
            true => self.expect(byte, what),
            false => Err(self.expected(what)),
        }
    }

    /// Whether nothing comes but spaces.
    pub(super) const fn ends(&mut self) -> bool {
        self.peek();
        self.at == self.bytes.len()
    }

    /// Stands before the closing bracket again, behind which nothing comes.
    pub(super) const fn back(&mut self) {
        while self.at > 0 && self.here() != b'}' {
            self.at -= 1;
        }
    }

    /// Something else stands here.
    pub(super) const fn expected(&self, what: &'static str) -> Defect<'a> {
        Defect::Json {
            expected: what,
            at: self.at,
        }
    }

    /// What stands between quotes.
    pub(super) const fn string(&mut self) -> Result<Name<'a>, Defect<'a>> {
        ok!(self.expect(b'"', "a string"));
        let from = self.at;
        // The compiler runs this for each byte of a header: without calls.
        while self.at < self.bytes.len() {
            match self.bytes[self.at] {
                b'"' => break,
                b'\\' => ok!(self.escape()),
                0..0x20 => break,
                _ => self.at += 1,
            }
        }
        if self.here() != b'"' {
            return Err(self.expected("`\"`"));
        }
        let raw = self.bytes.split_at(self.at).0.split_at(from).1;
        self.at += 1;
        Ok(Name::written(raw))
    }

    /// A whole number.
    pub(super) const fn number(&mut self) -> Result<usize, Defect<'a>> {
        if !self.peek().is_ascii_digit() {
            return Err(self.expected("a whole number"));
        }
        let (from, mut number) = (self.at, 0usize);
        while self.here().is_ascii_digit() {
            let digit = (self.here() - b'0') as usize;
            let tens = match number.checked_mul(10) {
                Some(tens) => tens.checked_add(digit),
                None => None,
            };
            let Some(next) = tens else {
                self.at = from;
                return Err(self.expected("a smaller number"));
            };
            number = next;
            self.at += 1;
            if number == 0 && self.here().is_ascii_digit() {
                return Err(self.expected("no number that begins with 0"));
            }
        }
        Ok(number)
    }

    /// `{"said":"by a program"}`: stepped over.
    pub(super) const fn texts(&mut self) -> Result<(), Defect<'a>> {
        ok!(self.expect(b'{', "`{`"));
        if self.take(b'}') {
            return Ok(());
        }
        loop {
            ok!(self.string());
            ok!(self.expect(b':', "`:`"));
            ok!(self.string());
            if self.take(b'}') {
                return Ok(());
            }
            ok!(self.expect(b',', "`,` or `}`"));
        }
    }

    /// What `{"key":"text"}`, which was stepped over, says under `key`.
    #[cfg(feature = "safetensors")]
    pub(crate) fn text(mut self, key: &str) -> Option<alloc::string::String> {
        self.take(b'{').then_some(())?;
        loop {
            let found = self.string().ok()?;
            self.take(b':').then_some(())?;
            let text = self.string().ok()?;
            if found.is_text(key) {
                return Some(text.to_text());
            }
            self.take(b',').then_some(())?;
        }
    }

    /// Any value: stepped over.
    pub(super) const fn value(&mut self) -> Result<(), Defect<'a>> {
        /// So many brackets may be open at once.
        const DEEPEST: u32 = 127;
        // Of the open brackets, the innermost lowest: whether it is a brace.
        let (mut braces, mut depth) = (0u128, 0);
        loop {
            match self.peek() {
                b'"' => {
                    ok!(self.string());
                }
                open @ (b'{' | b'[') => {
                    if depth == DEEPEST {
                        return Err(self.expected("fewer brackets inside one another"));
                    }
                    self.at += 1;
                    let brace = open == b'{';
                    if !self.take(if brace { b'}' } else { b']' }) {
                        depth += 1;
                        braces = (braces << 1) | brace as u128;
                        if brace {
                            ok!(self.key());
                        }
                        continue;
                    }
                }
                _ => ok!(self.word()),
            }
            // Behind a value.
            while depth > 0 && self.take(if braces & 1 == 1 { b'}' } else { b']' }) {
                depth -= 1;
                braces >>= 1;
            }
            if depth == 0 {
                return Ok(());
            }
            let brace = braces & 1 == 1;
            ok!(self.expect(b',', if brace { "`,` or `}`" } else { "`,` or `]`" }));
            if brace {
                ok!(self.key());
            }
        }
    }

    /// `"key":`.
    const fn key(&mut self) -> Result<(), Defect<'a>> {
        ok!(self.string());
        self.expect(b':', "`:`")
    }

    /// `true`, `false`, `null`, or a number: `-1.5e+3`.
    const fn word(&mut self) -> Result<(), Defect<'a>> {
        let from = self.at;
        while self.here().is_ascii_lowercase() {
            self.at += 1;
        }
        if self.at > from {
            let word = self.bytes.split_at(self.at).0.split_at(from).1;
            if matches!(word, b"true" | b"false" | b"null") {
                return Ok(());
            }
            self.at = from;
            return Err(self.expected("a value"));
        }
        if self.here() == b'-' {
            self.at += 1;
        }
        if self.here() == b'0' {
            self.at += 1;
        } else {
            ok!(self.digits());
        }
        if self.here() == b'.' {
            self.at += 1;
            ok!(self.digits());
        }
        if matches!(self.here(), b'e' | b'E') {
            self.at += 1;
            if matches!(self.here(), b'+' | b'-') {
                self.at += 1;
            }
            ok!(self.digits());
        }
        Ok(())
    }

    const fn digits(&mut self) -> Result<(), Defect<'a>> {
        if !self.here().is_ascii_digit() {
            return Err(self.expected("a value"));
        }
        while self.here().is_ascii_digit() {
            self.at += 1;
        }
        Ok(())
    }

    /// `\n`, `\u00e9`, or a pair `\ud83d\ude00`.
    const fn escape(&mut self) -> Result<(), Defect<'a>> {
        const WHAT: &str = "an escape of JSON";
        let from = self.at;
        let Some((_, length)) = super::name::escape(self.bytes.split_at(from).1) else {
            return Err(self.expected(WHAT));
        };
        self.at = from + length;
        Ok(())
    }

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

    /// The byte that stands here; 0 at the end.
    const fn here(&self) -> u8 {
        match self.at < self.bytes.len() {
            true => self.bytes[self.at],
            false => 0,
        }
    }
}
