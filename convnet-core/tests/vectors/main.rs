//! The numbers of PyTorch and of CS231n; see `tests/vectors/README.md` at the root.

mod batch_norm;
#[allow(dead_code)] // what the networks use
mod case;
mod cs231n;
#[macro_use] // the rows of `table`
mod layer;
mod loss;
mod optim;
mod table;
