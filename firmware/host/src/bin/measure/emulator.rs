//! QEMU, with the plugin that counts.

use std::error::Error;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::binary::Binary;

/// Where it is.
pub(crate) struct Emulator<'a> {
    pub(crate) qemu: &'a Path,
    pub(crate) counter: &'a Path,
}

/// What a program did.
pub(crate) struct Seen {
    pub(crate) results: Vec<f32>,
    /// Between all pairs of markers.
    pub(crate) instructions: u64,
    /// Bytes.
    pub(crate) stack: u64,
}

impl Emulator<'_> {
    pub(crate) fn run(
        &self,
        machine: &str,
        program: &Path,
        binary: &Binary,
    ) -> Result<Seen, Box<dyn Error>> {
        let [begin, end] = binary.markers;
        let counter = self.counter.display();
        let output = Command::new(self.qemu)
            .args(["-machine", machine, "-nographic", "-d", "plugin"])
            .args(["-semihosting-config", "enable=on,target=native"])
            .arg("-plugin")
            .arg(format!("{counter},begin=0x{begin:x},end=0x{end:x}"))
            .arg("-kernel")
            .arg(program)
            .stdin(Stdio::null())
            .output()?;
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text);
        let mut seen = Seen {
            results: Vec::new(),
            instructions: 0,
            stack: u64::MAX,
        };
        for line in text.lines() {
            match line.split_once(' ') {
                Some(("w", word)) => {
                    let bits = u32::from_str_radix(word, 16)?;
                    seen.results.push(f32::from_bits(bits));
                }
                Some(("k", word)) => seen.stack = u64::from_str_radix(word, 16)?,
                Some(("counted", number)) => seen.instructions += number.parse::<u64>()?,
                _ => {}
            }
        }
        if !output.status.success() || seen.stack == u64::MAX {
            let program = program.display();
            return Err(format!("{program} on {machine}: {}\n{text}", output.status).into());
        }
        Ok(seen)
    }
}
