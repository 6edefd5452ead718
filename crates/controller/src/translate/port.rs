//! Port numbers, which Kubernetes writes as any integer.

/// The port of this number, if there is one: 1 to 65535.
pub(super) fn port(number: i32) -> Option<u16> {
    u16::try_from(number).ok().filter(|port| *port != 0)
}
