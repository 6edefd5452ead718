//! For tests: what clients see where there is nothing to see, and where there is a menu.

use std::sync::Arc;
use std::time::Instant;

use config::Variables;

use crate::federation::{Federation, Menu, Naming, Offer, Shape, View};
use crate::tasks::Tasks;

/// What clients see of a backend without targets. Needs a runtime.
pub(crate) fn empty_view() -> Arc<View> {
    let text = "targets: [{ name: t, url: 'http://127.0.0.1:1/mcp' }]\nbackends: [{ name: b, targets: [t] }]";
    let reading = config::read("test.yaml", text).unwrap();
    let compiled = config::compile(&reading.document, &reading.origins, &Variables::new());
    let backend = compiled.snapshot.backends["b"].clone();
    let max_length = compiled.snapshot.names.max_length;
    let naming = Naming { mode: backend.prefix_mode, max_length };
    let shape = Shape { backend, naming, members: Vec::new() };
    Federation::start(&Tasks::new(), shape, Instant::now()).base().clone()
}

/// An offer with this menu, and nobody behind it. Needs a runtime.
pub(crate) fn offer_of(menu: Menu) -> Arc<Offer> {
    let empty = empty_view().offer();
    let (backend, naming) = (empty.backend.clone(), empty.naming);
    let (members, seen, read) = (Vec::new(), Vec::new(), Vec::new());
    Arc::new(Offer { backend, menu, members, naming, seen, read })
}
