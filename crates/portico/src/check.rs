//! `portico check`: says what is wrong with files, and serves nothing.

use std::collections::BTreeMap;
use std::process::ExitCode;

use config::Variables;

use crate::arguments::Inputs;
use crate::output;
use crate::report;
use crate::source::Library;

/// Prints each diagnostic on a line of standard output and a summary on standard error. Exit code
/// 1 if one of them is an error.
///
/// # Errors
/// If there is no file to check.
pub(crate) fn check(inputs: &Inputs) -> anyhow::Result<ExitCode> {
    let library = Library::open(inputs.or_usual()?);
    let reading = library.reading();
    let compiled = config::compile(&reading.document, &reading.origins, &variables());
    let mut diagnostics = reading.diagnostics;
    diagnostics.extend(compiled.diagnostics);
    let lines: Vec<_> = diagnostics.iter().map(|diagnostic| format!("{diagnostic}\n")).collect();
    output::print(&lines.concat());
    let files = match library.len() {
        1 => "1 file".to_owned(),
        count => format!("{count} files"),
    };
    eprintln!("{files}: {}", report::summary(&diagnostics));
    let is_good = report::errors(&diagnostics) == 0;
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The environment, for `${VAR}`. What is not Unicode cannot be named or used, and is left out.
pub(crate) fn variables() -> Variables {
    let pairs = std::env::vars_os();
    pairs
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect::<BTreeMap<_, _>>()
}
