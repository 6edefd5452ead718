//! References to variables.

use super::{VariableError, resolve};
use crate::compile::Variables;

fn check(value: &str, expected: Result<&str, VariableError>) {
    let pairs = [("A", "1"), ("EMPTY", ""), ("NESTED", "${A}")];
    let variables: Variables =
        pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    assert_eq!(resolve(value, &variables), expected.map(str::to_owned), "{value}");
}

#[test]
fn references_are_replaced_once() {
    check("plain $A {A} $", Ok("plain $A {A} $"));
    check("x${A}y${env:A}", Ok("x1y1"));
    check("${NESTED}", Ok("${A}"));
    check("${B:-default}", Ok("default"));
    check("${B:-}", Ok(""));
    check("${A:-default}", Ok("1"));
    check("${EMPTY}|${EMPTY:-default}", Ok("|default"));
    check("${env:B:-a:-b}", Ok("a:-b"));
    check("$${A} $$${A}", Ok("${A} $${A}"));
}

#[test]
fn what_cannot_be_replaced_is_an_error() {
    check("${B}", Err(VariableError::Unset("B".to_owned())));
    check("${input:key}", Err(VariableError::Input("key".to_owned())));
    check("${}", Err(VariableError::Unknown(String::new())));
    check("${a-b}", Err(VariableError::Unknown("a-b".to_owned())));
    check("a ${A", Err(VariableError::Open));
}
