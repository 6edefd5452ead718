//! Why a name has no address.

use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;

/// Why a name has no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NameError {
    /// It cannot be asked for.
    #[error("not a name")]
    NotAName,
    /// There is nothing of that name.
    #[error("no such name")]
    NoSuchName,
    /// There is, without an address.
    #[error("the name has no address")]
    NoAddress,
    /// Nobody answered in time.
    #[error("no answer from the resolver")]
    NoAnswer,
    /// The resolver could not, or would not.
    #[error("the resolver answered \"{0}\"")]
    Refused(ResponseCode),
}

impl NameError {
    /// Whether it says nothing of the name.
    pub(crate) fn is_temporary(self) -> bool {
        match self {
            Self::NoAnswer | Self::Refused(_) => true,
            Self::NotAName | Self::NoSuchName | Self::NoAddress => false,
        }
    }

    /// What the library found, in our terms.
    pub(crate) fn of(error: &NetError) -> Self {
        match error {
            NetError::Dns(DnsError::NoRecordsFound(none)) => match none.response_code {
                ResponseCode::NXDomain => Self::NoSuchName,
                ResponseCode::NoError => Self::NoAddress,
                code => Self::Refused(code),
            },
            NetError::Dns(DnsError::ResponseCode(code)) => Self::Refused(*code),
            _ => Self::NoAnswer,
        }
    }
}
