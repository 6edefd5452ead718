//! The places of sessions that have lists of their own at a target.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// `limits.overlaysPerTarget` places.
#[derive(Debug)]
pub(super) struct OverlayPlaces(Arc<Semaphore>);

/// The place of one session; free again when it is dropped.
#[derive(Debug)]
pub(crate) struct OverlayPlace(
    #[expect(dead_code, reason = "held, never looked at")] OwnedSemaphorePermit,
);

impl OverlayPlaces {
    pub(super) fn new(most: usize) -> Self {
        Self(Arc::new(Semaphore::new(most)))
    }

    /// A place, if one is free.
    pub(super) fn take(&self) -> Option<OverlayPlace> {
        self.0.clone().try_acquire_owned().ok().map(OverlayPlace)
    }
}
