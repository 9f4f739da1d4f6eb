//! Nothing: what is tested is in `fail` and `pass`.
