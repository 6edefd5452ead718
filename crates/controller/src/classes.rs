//! The GatewayClass by which Gateways are ours: made where there is none.

use std::time::Duration;

use gateway_api::gatewayclasses::{GatewayClass, GatewayClassSpec};
use kube::Client;
use kube::api::{Api, PostParams};
use tracing::{info, warn};

use crate::leader::Leadership;
use crate::settings::Settings;

/// How often it is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// Makes the class that the settings name wherever there is none of this name.
pub(crate) async fn keep(client: Client, leadership: Leadership, settings: Settings) {
    let classes: Api<GatewayClass> = Api::all(client);
    loop {
        leadership.begun().await;
        match attempt(&classes, &leadership, &settings).await {
            Ok(true) => info!(class = settings.class, "Made the GatewayClass."),
            Ok(false) => {}
            Err(error) => warn!(%error, class = settings.class, "Cannot make the GatewayClass."),
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

async fn attempt(
    classes: &Api<GatewayClass>,
    leadership: &Leadership,
    settings: &Settings,
) -> kube::Result<bool> {
    match classes.get_metadata_opt(&settings.class).await {
        Ok(Some(_)) => return Ok(false),
        Ok(None) => {}
        // Before its CustomResourceDefinition is there, nobody can make one.
        Err(kube::Error::Api(status)) if status.code == 404 => return Ok(false),
        Err(error) => return Err(error),
    }
    if !leadership.is_held() {
        return Ok(false);
    }
    let spec = GatewayClassSpec {
        controller_name: settings.controller.clone(),
        description: Some("Federates MCP servers behind one endpoint.".to_owned()),
        ..GatewayClassSpec::default()
    };
    match classes.create(&PostParams::default(), &GatewayClass::new(&settings.class, spec)).await {
        Ok(_) => Ok(true),
        // Somebody else was first.
        Err(kube::Error::Api(status)) if status.code == 409 => Ok(false),
        Err(error) => Err(error),
    }
}
