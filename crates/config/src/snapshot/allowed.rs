//! Who may use a listener besides loopback: by origin and by host.

use super::hosts::Hosts;

/// Who may use one virtual listener.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allowed {
    /// The web origins that may use it, besides loopback ones and the listener's own host; lower
    /// case, `*` for any.
    pub origins: Vec<String>,
    /// The `Host` names it answers to when it is bound to loopback, besides loopback ones; lower
    /// case, without a port; `*.suffix` for every host below one. The listener's and its routes'
    /// own hostnames are among them.
    pub hosts: Vec<String>,
}

/// Who may use each of the virtual listeners of an address.
#[derive(Debug, Clone, Default)]
pub struct AllowedByHost(Hosts<Allowed>);

impl AllowedByHost {
    /// Who may use the listener that answers for `host`: the one with the most specific hostname,
    /// and no other. Where there is none, nobody.
    pub fn of(&self, host: &str) -> &Allowed {
        static NOBODY: Allowed = Allowed { origins: Vec::new(), hosts: Vec::new() };
        self.0.matching(host).next().unwrap_or(&NOBODY)
    }

    /// Who may use the listener with this hostname, exact or `*.suffix`, `None` for any.
    pub fn entry(&mut self, hostname: Option<&str>) -> &mut Allowed {
        self.0.entry(hostname)
    }

    /// Each listener's hostname, `*` for any, and who may use it; in the order of the hostnames.
    pub(crate) fn sorted(&self) -> Vec<(String, &Allowed)> {
        let mut sorted: Vec<(String, &Allowed)> = self.0.iter().collect();
        sorted.sort_by(|(left, _), (right, _)| left.cmp(right));
        sorted
    }
}
