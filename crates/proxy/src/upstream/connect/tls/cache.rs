//! What the TLS settings that were used last became, so that they are made into it once.

use std::sync::Arc;

use config::UpstreamTls;
use parking_lot::Mutex;
use rustls::ClientConfig;

use crate::upstream::address::{Address, Scheme};
use crate::upstream::connect::tls::client_config;
use crate::upstream::error::UpstreamError;

/// The client side of TLS for the settings that were used last.
pub(crate) struct TlsCache {
    /// What is offered to be spoken; empty: HTTP/1.1, without a word.
    protocols: Vec<Vec<u8>>,
    last: Mutex<Option<(UpstreamTls, Arc<ClientConfig>)>>,
}

impl TlsCache {
    /// For HTTP/1.1.
    pub(crate) fn http1() -> Self {
        Self { protocols: Vec::new(), last: Mutex::default() }
    }

    /// For HTTP/2.
    pub(crate) fn http2() -> Self {
        Self { protocols: vec![b"h2".to_vec()], last: Mutex::default() }
    }

    /// The client side of TLS; `None` for plain TCP.
    pub(crate) async fn config(
        &self,
        address: &Address,
        settings: &UpstreamTls,
    ) -> Result<Option<Arc<ClientConfig>>, UpstreamError> {
        match address.scheme {
            Scheme::Http => return Ok(None),
            Scheme::Https => {}
        }
        if let Some((known, config)) = &*self.last.lock()
            && known == settings
        {
            return Ok(Some(config.clone()));
        }
        let mut config = client_config(address, settings).await?;
        config.alpn_protocols.clone_from(&self.protocols);
        let config = Arc::new(config);
        *self.last.lock() = Some((settings.clone(), config.clone()));
        Ok(Some(config))
    }
}
