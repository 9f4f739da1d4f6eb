//! Only its test is of interest.
