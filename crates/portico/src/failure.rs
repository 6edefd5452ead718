//! Why a command ended, as an exit code: 2 for what the command line or its files say, 1 for the
//! rest.

use std::process::ExitCode;

/// The files on the command line cannot be used. What is wrong has been printed, or is the text.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct InputError(pub(crate) String);

/// The exit code for a failure.
pub(crate) fn exit_code(failure: &anyhow::Error) -> ExitCode {
    if failure.downcast_ref::<InputError>().is_some() {
        ExitCode::from(2)
    } else {
        ExitCode::FAILURE
    }
}
