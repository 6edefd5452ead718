//! What servers are shown of secrets: looked up, and made into headers. Where a secret is missing, the
//! server is closed: it is never asked without.

use http::{HeaderName, HeaderValue};

use super::report::Report;
use super::target::is_own_header;
use crate::document::{Close, Credential};
use crate::secret::{Secret, Secrets};

/// The headers that credentials become, on top of `headers`. `path` is that of the list.
pub(super) fn credentials(
    written: &[Credential],
    secrets: &Secrets,
    headers: &mut Vec<(HeaderName, Secret)>,
    path: &str,
    report: &mut Report<'_>,
) -> Result<(), Close> {
    for (index, credential) in written.iter().enumerate() {
        let (name, value) = header(credential, secrets).map_err(|message| {
            report.close("credential.missing", &format!("{path}[{index}]"), message)
        })?;
        if headers.iter().any(|(known, _)| *known == name) {
            let message = format!("the header `{name}` is set twice");
            return Err(report.close("credential.header", &format!("{path}[{index}]"), message));
        }
        headers.push((name, value));
    }
    Ok(())
}

fn header(credential: &Credential, secrets: &Secrets) -> Result<(HeaderName, Secret), String> {
    let Credential { secret, value, header, prefix } = credential;
    let name = HeaderName::from_bytes(header.as_bytes());
    let name = name.map_err(|_| format!("`{header}` is not the name of a header"))?;
    if is_own_header(&name) {
        return Err(format!("`{name}` is the gateway's own and cannot be set"));
    }
    let values = secrets.get(secret).ok_or_else(|| format!("there is no secret `{secret}`"))?;
    let text = values.get(value);
    let text = text.ok_or_else(|| format!("the secret `{secret}` has no `{value}`"))?;
    // People end files with a line.
    let text = text.expose().trim_end_matches(['\r', '\n']);
    let start = text.get(..prefix.len());
    let text = match start.is_some_and(|start| start.eq_ignore_ascii_case(prefix)) {
        true => text.to_owned(),
        false => format!("{prefix}{text}"),
    };
    if HeaderValue::from_str(&text).is_err() {
        return Err(format!(
            "`{value}` of the secret `{secret}` has characters that a header cannot carry"
        ));
    }
    Ok((name, Secret::new(text)))
}

#[cfg(test)]
mod tests;
