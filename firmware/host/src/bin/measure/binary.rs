//! A program as the linker left it.

use std::error::Error;
use std::fs;
use std::path::Path;

use object::{File, Object, ObjectSection, ObjectSymbol, SectionKind};

/// Sizes and addresses.
pub(crate) struct Binary {
    /// Bytes of code, constants and what `static`s begin as.
    pub(crate) flash: u64,
    /// Bytes of `static`s that change.
    pub(crate) statics: u64,
    /// Where counting begins and ends.
    pub(crate) markers: [u64; 2],
    /// Functions that panic or allocate.
    pub(crate) suspects: Vec<String>,
}

impl Binary {
    pub(crate) fn read(path: &Path) -> Result<Self, Box<dyn Error>> {
        let bytes = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let file = File::parse(&*bytes)?;
        let (mut flash, mut statics) = (0, 0);
        for section in file.sections() {
            match section.kind() {
                SectionKind::Text | SectionKind::ReadOnlyData => flash += section.size(),
                SectionKind::Data => {
                    flash += section.size();
                    statics += section.size();
                }
                SectionKind::UninitializedData => statics += section.size(),
                _ => {}
            }
        }
        let address = |name: &str| {
            let symbol = file.symbols().find(|symbol| symbol.name() == Ok(name));
            symbol
                .map(|symbol| symbol.address())
                .ok_or_else(|| format!("{} has no symbol {name}", path.display()))
        };
        let suspects = file
            .symbols()
            .filter_map(|symbol| symbol.name().ok())
            .filter(|name| {
                ["panicking", "__rust_alloc", "__rust_no_alloc", "__rg_"]
                    .iter()
                    .any(|part| name.contains(part))
            })
            .map(str::to_owned)
            .collect();
        Ok(Self {
            flash,
            statics,
            markers: [address("count_begin")?, address("count_end")?],
            suspects,
        })
    }
}
