//! `portico expand`: the native document that files mean. And its schema, and that
//! of manifests.

use std::process::ExitCode;

use crate::arguments::Inputs;
use crate::failure::InputError;
use crate::output;
use crate::source::Library;

/// Prints the document on standard output and what is wrong with the files on standard error.
///
/// # Errors
/// If there is no file, or one that cannot be parsed: the rest would not be what was meant.
pub(crate) fn expand(inputs: &Inputs) -> anyhow::Result<ExitCode> {
    let library = Library::open(inputs.or_usual()?);
    let reading = library.reading();
    for diagnostic in &reading.diagnostics {
        eprintln!("{diagnostic}");
    }
    if !library.broken().is_empty() {
        return Err(InputError("nothing was expanded: see above".to_owned()).into());
    }
    output::print(&config::to_yaml(&reading.document));
    Ok(ExitCode::SUCCESS)
}

/// Prints the JSON Schema of the native document.
///
/// # Errors
/// None.
pub(crate) fn schema() -> anyhow::Result<ExitCode> {
    output::print(&config::schema());
    Ok(ExitCode::SUCCESS)
}

/// Prints the definitions of our Kubernetes resources.
///
/// # Errors
/// None.
pub(crate) fn crds() -> anyhow::Result<ExitCode> {
    output::print(&controller::definitions());
    Ok(ExitCode::SUCCESS)
}

/// Prints what becomes of every field of a policy.
///
/// # Errors
/// None.
pub(crate) fn policies() -> anyhow::Result<ExitCode> {
    output::print(&controller::policies_page());
    Ok(ExitCode::SUCCESS)
}
