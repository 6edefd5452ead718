//! A backend that is an ordinary HTTP server, as documents write it.

use config::document::Service;
use config::{Close, Diagnostic};

use crate::endpoints;
use crate::resources::StaticBackend;
use crate::translate::attached::Levels;
use crate::translate::closed::closed;
use crate::translate::connection;
use crate::translate::guard::Guarded;
use crate::translate::planned::PlannedService;
use crate::translate::port::port;
use crate::translate::section;
use crate::translate::target::address::{Address, host_address, service_port};
use crate::translate::target::{Finding, Findings};

const FIELD: &str = "spec.static";

impl Finding<'_, '_> {
    /// The ordinary HTTP server that a backend is, shut by `close`; reported and none if there can
    /// be none at its address.
    pub(super) fn service(
        &self,
        kind: Guarded,
        written: &StaticBackend,
        close: Option<Close>,
        findings: &mut Findings,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Option<PlannedService> {
        let about = self.shape.about;
        let mut unusable = |message: String| {
            findings.problem(about, "backend.address", FIELD, message, diagnostics);
            None
        };
        let number = written.port;
        if port(number).is_none() {
            return unusable(format!("`{number}` is not a port"));
        }
        let address = match host_address(self.world, &written.host, about.namespace()) {
            Ok(address) => address,
            Err(message) => return unusable(message),
        };
        let name = self.shape.name.clone();
        let mut of_service = Levels::default();
        let (host, endpoints, guard) = match address {
            Address::Host(host) => (host, None, None),
            Address::Service { name, host } => {
                let found = service_port(self.world, &name, number);
                let sections = section::of_port(number, found.as_ref().ok().copied());
                if let Err((id, message)) = found {
                    diagnostics.push(about.error(id, FIELD, message));
                }
                let guard = self.guards.part(Guarded::Service, &name, &sections);
                of_service = self.guards.levels(Guarded::Service, &name, &sections);
                (host, Some(endpoints::key(&name, number)), guard.cloned())
            }
        };
        let namespace = about.namespace();
        let foreign =
            connection::foreign_fault(self.world, self.shape.kind, namespace, &of_service);
        let levels = [of_service, self.guards.levels(kind, &about.name, &[])];
        let connection = connection::of_server(&[&self.shape.policies.connection], levels);
        let own = guard.or(foreign);
        let own = own.or_else(|| connection::service_fault(self.world, &connection));
        if let Some(own) = own.as_ref().filter(|_| close.is_none()) {
            diagnostics.push(about.error("backend.closed", FIELD, closed(own)));
        }
        let close = close.or(own);
        let url = format!("http://{host}:{number}");
        let service = Service { name, url, endpoints, close, ..Service::default() };
        Some(PlannedService { service, connection })
    }
}
