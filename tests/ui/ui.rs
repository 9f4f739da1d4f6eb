//! What compiles; and what does not, with its message. `TRYBUILD=overwrite` writes the messages
//! anew: read them before you keep them.

#[test]
fn ui() {
    let tests = trybuild::TestCases::new();
    tests.pass("pass/*.rs");
    tests.compile_fail("fail/*.rs");
}
