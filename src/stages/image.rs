//! The target `image`: turns packages into an image with the environments.

use super::assembly::Built;
use super::session::Session;

use std::collections::BTreeMap;

use buildkit_llb::Input;
use buildkit_proto::gateway;
use futures_util::future::try_join_all;
use serde_json::json;
use tokio::sync::OnceCell;

use crate::gateway::error::BuildError;
use crate::options::target::Target;
use condafront_model::platform::Platform;

/// The image's configuration (BuildKit's `exporter/containerimage/exptypes/types.go`).
const CONFIG: &str = "containerimage.config";
/// The configuration of the base image, whose layers and dates `rewrite-timestamp=true` leaves as they are.
const BASE_CONFIG: &str = "containerimage.base.config";

impl Session<'_> {
    /// Builds the target `image` or `prefix` for each of `platforms`.
    pub(super) async fn images(
        &self,
        target: Target,
        platforms: &[Platform],
    ) -> Result<gateway::Result, BuildError> {
        let image = async |platform: Platform| {
            let built = self.on(platform).built(target).await?;
            Ok::<_, BuildError>((platform, built))
        };
        let images = try_join_all(platforms.iter().map(|platform| image(*platform))).await?;
        self.result(&images).await
    }

    /// What a build for the session's platform gives: the environment alone for the target `prefix`, and the image for all
    /// others.
    pub(super) async fn built(&self, target: Target) -> Result<Built, BuildError> {
        let input = self.image_input().await?;
        self.warn(&input.warnings).await?;
        if target != Target::Prefix {
            self.check_commands(&input.section)?;
        }
        let ground = self.ground(&input).await?;
        let plan = OnceCell::new();
        let image = ground.link(&plan).await?;
        if target == Target::Prefix {
            return image.prefix().await;
        }
        image.check_libc()?;
        image.finish().await
    }

    /// The result in BuildKit's form.
    async fn result(&self, images: &[(Platform, Built)]) -> Result<gateway::Result, BuildError> {
        let mut references = BTreeMap::new();
        let mut metadata = BTreeMap::new();
        let mut attestations = BTreeMap::new();
        let several = self.options.is_multi_platform() || images.len() > 1;
        for (platform, image) in images {
            let reference = match &image.root {
                Input::Output(output) => self.evaluate(output).await?.to_proto(),
                Input::Scratch => gateway::Ref::default(),
            };
            let id = platform.to_string();
            if let Some(inventory) = &image.inventory
                && let Some(attested) = self.attested(inventory).await?
            {
                attestations.insert(id.clone(), attested);
            }
            let key = |name: &str| {
                if several {
                    format!("{name}/{id}")
                } else {
                    name.to_owned()
                }
            };
            metadata.insert(key(CONFIG), image.config.to_json());
            if let Some(config) = &image.base_config {
                metadata.insert(key(BASE_CONFIG), config.clone());
            }
            references.insert(id, reference);
        }
        let list = images.iter().map(|(platform, _)| {
            json!({
                "ID": platform.to_string(),
                "Platform": {"os": platform.os(), "architecture": platform.architecture()},
            })
        });
        let platforms = json!({"Platforms": list.collect::<Vec<_>>()});
        metadata.insert(
            "refs.platforms".to_owned(),
            platforms.to_string().into_bytes(),
        );
        let result = if several {
            gateway::result::Result::Refs(gateway::RefMap { refs: references })
        } else {
            let reference = references.into_values().next();
            gateway::result::Result::Ref(reference.unwrap_or_default())
        };
        Ok(gateway::Result {
            result: Some(result),
            metadata,
            attestations,
        })
    }
}
