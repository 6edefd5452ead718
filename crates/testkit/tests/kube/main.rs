//! What runs in a real Kubernetes cluster: the one that `cargo xtask test kube` starts around these tests.

mod charts;
mod conformance;
mod crds;
mod seeds;
mod smoke;
mod tokens;
