//! What `cargo xtask gen` makes of `proto/`, in the modules that it expects to be in.
#![allow(
    missing_docs,
    clippy::all,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::pedantic,
    clippy::unwrap_used,
    reason = "generated"
)]

pub(crate) mod envoy {
    pub(crate) mod service {
        pub(crate) mod discovery {
            pub(crate) mod v3 {
                include!("generated/envoy.service.discovery.v3.rs");
            }
        }
    }
}

pub(crate) mod google {
    pub(crate) mod rpc {
        include!("generated/google.rpc.rs");
    }
}

pub(crate) mod portico {
    pub(crate) mod xds {
        pub(crate) mod v1 {
            include!("generated/portico.xds.v1.rs");
        }
    }
}

pub(crate) use envoy::service::discovery::v3 as discovery;
pub(crate) use google::rpc;
pub(crate) use portico::xds::v1 as report;
