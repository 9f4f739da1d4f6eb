//! Keras models, archives and HDF5: what is read has a declaration that the macro takes, a table and weights.
#![no_main]

use convnet_fuzz::{check_import, seeds};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: seeds::write("keras"), |bytes: &[u8]| check_import(bytes));
