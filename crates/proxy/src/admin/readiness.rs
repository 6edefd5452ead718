//! Whether the gateway wants traffic. Targets have no say: a gateway without any still answers.

use std::sync::atomic::{AtomicU8, Ordering};

const STARTING: u8 = 0;
const READY: u8 = 1;
const DRAINING: u8 = 2;
const UNBOUND: u8 = 3;

/// Whether the gateway wants traffic: listeners bound and a first world, and not draining.
#[derive(Debug, Default)]
pub struct Readiness(AtomicU8);

impl Readiness {
    /// A gateway that is still starting.
    pub fn new() -> Self {
        Self(AtomicU8::new(STARTING))
    }

    /// A listener is bound and there is a world. Without effect once it drains.
    pub fn ready(&self) {
        self.become_unless_draining(READY);
    }

    /// No listener is bound any more. Without effect once it drains.
    pub fn unbound(&self) {
        self.become_unless_draining(UNBOUND);
    }

    /// It is going away, and does not come back.
    pub fn drain(&self) {
        self.0.store(DRAINING, Ordering::Release);
    }

    /// Whether it wants traffic now.
    pub fn is_ready(&self) -> bool {
        self.0.load(Ordering::Acquire) == READY
    }

    /// In one word: `starting`, `ready`, `unbound` or `draining`.
    pub fn as_str(&self) -> &'static str {
        match self.0.load(Ordering::Acquire) {
            STARTING => "starting",
            READY => "ready",
            UNBOUND => "unbound",
            _ => "draining",
        }
    }

    fn become_unless_draining(&self, state: u8) {
        let next = |current| (current != DRAINING).then_some(state);
        let _ = self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, next);
    }
}
