//! References to the environment in values: `${VAR}`, `${env:VAR}` and `${VAR:-default}`; `$${`
//! is a literal `${`.

use std::fmt;

use super::Variables;

/// Why a value cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum VariableError {
    Unset(String),
    Input(String),
    Unknown(String),
    Open,
}

impl VariableError {
    pub(super) fn id(&self) -> &'static str {
        match self {
            Self::Unset(_) => "variable.unset",
            Self::Input(_) => "variable.input",
            Self::Unknown(_) | Self::Open => "variable.invalid",
        }
    }
}

impl fmt::Display for VariableError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unset(name) => write!(formatter, "the variable `{name}` is not set"),
            Self::Input(name) => write!(
                formatter,
                "`${{input:{name}}}` asks the user of an editor, which a gateway cannot; \
                 write `${{VAR}}` and set that variable for the gateway"
            ),
            Self::Unknown(reference) => write!(
                formatter,
                "`${{{reference}}}` is not a reference; there are `${{VAR}}`, `${{env:VAR}}` and \
                 `${{VAR:-default}}`"
            ),
            Self::Open => formatter.write_str("`${` without a `}`; a literal one is `$${`"),
        }
    }
}

/// A value with its references replaced. What replaces them is not looked at again.
pub(super) fn resolve(value: &str, variables: &Variables) -> Result<String, VariableError> {
    let mut resolved = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(start) = rest.find("${") {
        let (before, reference) = rest.split_at_checked(start).unwrap_or((rest, ""));
        let reference = reference.strip_prefix("${").unwrap_or_default();
        if let Some(before) = before.strip_suffix('$') {
            resolved.push_str(before);
            resolved.push_str("${");
            rest = reference;
            continue;
        }
        let Some((reference, after)) = reference.split_once('}') else {
            return Err(VariableError::Open);
        };
        resolved.push_str(before);
        resolved.push_str(look_up(reference, variables)?);
        rest = after;
    }
    resolved.push_str(rest);
    Ok(resolved)
}

fn look_up<'a>(reference: &'a str, variables: &'a Variables) -> Result<&'a str, VariableError> {
    if let Some(input) = reference.strip_prefix("input:") {
        return Err(VariableError::Input(input.to_owned()));
    }
    let reference = reference.strip_prefix("env:").unwrap_or(reference);
    let (name, default) = match reference.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (reference, None),
    };
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty() || !name.chars().all(is_name) {
        return Err(VariableError::Unknown(reference.to_owned()));
    }
    match (variables.get(name).map(String::as_str), default) {
        // As in a shell, `:-` also replaces what is set and empty.
        (None | Some(""), Some(default)) => Ok(default),
        (Some(value), _) => Ok(value),
        (None, None) => Err(VariableError::Unset(name.to_owned())),
    }
}

#[cfg(test)]
mod tests;
