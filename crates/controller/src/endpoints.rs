//! The addresses behind each port of each Service: a function of Services and EndpointSlices alone,
//! so that a pod that comes or goes changes no document.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use k8s_openapi::api::core::v1::{Service, ServicePort};
use k8s_openapi::api::discovery::v1::{Endpoint, EndpointPort, EndpointSlice};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use crate::object::{Object, ObjectName};

const SERVICE_NAME: &str = "kubernetes.io/service-name";

/// The key under which a document and `endpoints` mean the same port: `namespace/service:port`, the
/// port being the Service's.
pub fn key(service: &ObjectName, port: i32) -> String {
    format!("{service}:{port}")
}

/// The ready addresses of every port of every Service, sorted. A port without any is there, empty.
pub fn endpoints(
    services: &[Object<Service>],
    slices: &[Object<EndpointSlice>],
) -> BTreeMap<String, Vec<SocketAddr>> {
    let mut by_service: BTreeMap<ObjectName, Vec<&EndpointSlice>> = BTreeMap::new();
    for slice in slices {
        let Some(service) = slice.about.label(SERVICE_NAME) else { continue };
        let name = ObjectName::new(slice.about.namespace(), service);
        by_service.entry(name).or_default().push(&slice.value);
    }
    let mut addresses = BTreeMap::new();
    for service in services {
        let slices = by_service.get(&service.about.name).map(Vec::as_slice).unwrap_or_default();
        let ports = ports(&service.value);
        for port in ports {
            let key = key(&service.about.name, port.port);
            addresses.insert(key, port_addresses(port, ports.len(), slices));
        }
    }
    addresses
}

fn ports(service: &Service) -> &[ServicePort] {
    let spec = service.spec.as_ref();
    spec.and_then(|spec| spec.ports.as_deref()).unwrap_or_default()
}

fn port_addresses(port: &ServicePort, ports: usize, slices: &[&EndpointSlice]) -> Vec<SocketAddr> {
    let mut addresses = Vec::new();
    for slice in slices {
        let Some(number) = slice_port(port, ports, slice) else { continue };
        for endpoint in slice.endpoints.iter().flatten().filter(|endpoint| is_ready(endpoint)) {
            let parsed = endpoint.addresses.iter().filter_map(|text| text.parse::<IpAddr>().ok());
            addresses.extend(parsed.map(|address| SocketAddr::new(address, number)));
        }
    }
    addresses.sort_unstable();
    addresses.dedup();
    addresses
}

/// The port of the slice that belongs to the Service's. Kubernetes gives both the same name; slices
/// written by hand may say it by the target port, or have just the one.
fn slice_port(port: &ServicePort, ports: usize, slice: &EndpointSlice) -> Option<u16> {
    let candidates = slice.ports.as_deref().unwrap_or_default();
    let name = port.name.as_deref().unwrap_or_default();
    let named = |candidate: &&EndpointPort| candidate.name.as_deref().unwrap_or_default() == name;
    let aimed = |candidate: &&EndpointPort| match &port.target_port {
        Some(IntOrString::Int(number)) => candidate.port == Some(*number),
        Some(IntOrString::String(target)) => candidate.name.as_ref() == Some(target),
        None => candidate.port == Some(port.port),
    };
    let only = || match candidates {
        [only] if ports == 1 => Some(only),
        _ => None,
    };
    let found = candidates.iter().find(named).or_else(|| candidates.iter().find(aimed));
    found.or_else(only)?.port.and_then(|number| u16::try_from(number).ok())
}

/// A condition that is not said counts as ready, as the API asks.
fn is_ready(endpoint: &Endpoint) -> bool {
    endpoint.conditions.as_ref().and_then(|conditions| conditions.ready).unwrap_or(true)
}
