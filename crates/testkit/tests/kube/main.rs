//! What runs in a real Kubernetes cluster: the one that `cargo xtask test kube` starts around these tests.

mod charts;
mod conformance;
mod crds;
mod endurance;
mod live;
mod operation;
mod policies;
mod seeds;
mod smoke;
mod statuses;
mod steady;
mod tokens;
