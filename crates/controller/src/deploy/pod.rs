//! The pod of a proxy: no rights in the cluster, none on its machine, and everything that changes in files
//! that it reads again.

use serde_json::{Value, json};

use crate::deploy::{
    AUDIENCE, Circumstances, GATEWAY_LABEL, HEALTH_PORT, Parameters, ProxySettings,
    session_keys_name,
};
use crate::object::ObjectName;

/// The user of the image.
const USER: u32 = 10101;
/// How long a token is good; the kubelet renews it before.
const TOKEN_SECONDS: u32 = 3600;

/// The spec of a pod.
pub(super) fn spec(
    name: &ObjectName,
    circumstances: &Circumstances,
    parameters: &Parameters<'_>,
    settings: &ProxySettings,
    replicas: i32,
) -> Value {
    let mut spec = json!({
        "serviceAccountName": name.name,
        "automountServiceAccountToken": false,
        "terminationGracePeriodSeconds": parameters.shutdown().grace,
        "securityContext": {
            "runAsNonRoot": true,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "seccompProfile": { "type": "RuntimeDefault" },
            // Listeners have low ports, and the container's port is the listener's.
            "sysctls": [{ "name": "net.ipv4.ip_unprivileged_port_start", "value": "0" }],
        },
        "containers": [container(circumstances, parameters, settings)],
        "volumes": volumes(name),
    });
    if let (true, Some(spec)) = (replicas > 1, spec.as_object_mut()) {
        spec.insert("topologySpreadConstraints".to_owned(), spread(name));
    }
    spec
}

fn container(
    circumstances: &Circumstances,
    parameters: &Parameters<'_>,
    settings: &ProxySettings,
) -> Value {
    let (image, pull_policy) = parameters.image(settings);
    let mut ports: Vec<Value> = circumstances
        .ports
        .iter()
        .map(|(port, protocol)| {
            json!({ "name": format!("{protocol}-{port}"), "containerPort": port, "protocol": "TCP" })
        })
        .collect();
    ports.push(json!({ "name": "health", "containerPort": HEALTH_PORT, "protocol": "TCP" }));
    let mut container = json!({
        "name": "portico",
        "image": image,
        "args": [
            "run",
            "--log-format", parameters.log_format(),
            "--health-address", format!("0.0.0.0:{HEALTH_PORT}"),
            "--session-keys", "/etc/portico/session-keys",
        ],
        "env": [
            { "name": "XDS_ADDRESS", "value": settings.controller_url },
            { "name": "XDS_ROOT_CA", "value": "/etc/portico/xds/ca.crt" },
            { "name": "XDS_TOKEN_FILE", "value": "/var/run/secrets/xds/token" },
        ],
        "ports": ports,
        "readinessProbe": {
            "httpGet": { "path": "/readyz", "port": "health" },
            "periodSeconds": 2,
        },
        "livenessProbe": {
            "httpGet": { "path": "/livez", "port": "health" },
            "periodSeconds": 10,
        },
        "securityContext": {
            "allowPrivilegeEscalation": false,
            "readOnlyRootFilesystem": true,
            "capabilities": { "drop": ["ALL"] },
        },
        "resources": { "requests": { "cpu": "100m", "memory": "64Mi" } },
        "volumeMounts": [
            { "name": "xds-token", "mountPath": "/var/run/secrets/xds", "readOnly": true },
            { "name": "xds-ca", "mountPath": "/etc/portico/xds", "readOnly": true },
            { "name": "session-keys", "mountPath": "/etc/portico/session-keys", "readOnly": true },
        ],
    });
    if let (Some(policy), Some(container)) = (pull_policy, container.as_object_mut()) {
        container.insert("imagePullPolicy".to_owned(), json!(policy));
    }
    parameters.container(&mut container);
    container
}

fn volumes(name: &ObjectName) -> Value {
    let token = json!({
        "audience": AUDIENCE, "expirationSeconds": TOKEN_SECONDS, "path": "token",
    });
    json!([
        { "name": "xds-token", "projected": { "sources": [{ "serviceAccountToken": token }] } },
        { "name": "xds-ca", "configMap": { "name": name.name } },
        { "name": "session-keys", "secret": { "secretName": session_keys_name(name).name } },
    ])
}

fn spread(name: &ObjectName) -> Value {
    json!([{
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": { "matchLabels": { GATEWAY_LABEL: name.name } },
    }])
}
