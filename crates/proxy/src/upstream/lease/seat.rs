//! An open connection, as those share it who may use it.

use std::fmt;

use crate::upstream::transport::Connection;

/// An open connection.
pub struct Seat {
    pub(super) connection: Connection,
}

impl Seat {
    /// The connection.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Ends the upstream session politely.
    pub async fn close(&self) {
        self.connection.close().await;
    }
}

impl fmt::Debug for Seat {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_open = self.connection.is_open();
        formatter.debug_struct("Seat").field("is_open", &is_open).finish_non_exhaustive()
    }
}
