//! The allocator, and what it says of the memory in use.

#[cfg(target_os = "linux")]
use tikv_jemalloc_ctl::{epoch, stats};

/// Long-lived processes with many short allocations on many threads: fragments less than glibc's.
#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// The bytes in use, as of now.
#[cfg(target_os = "linux")]
pub(crate) fn allocated() -> Option<u64> {
    // Its numbers are those of the last advance.
    epoch::advance().ok()?;
    u64::try_from(stats::allocated::read().ok()?).ok()
}

/// Another system's allocator does not say.
#[cfg(not(target_os = "linux"))]
pub(crate) fn allocated() -> Option<u64> {
    None
}
