//! The target `image`: turns packages into an image with the environments.

use super::assembly::Built;
use super::session::Session;

use std::collections::BTreeMap;

use buildkit_llb::{File, Input, Mkfile, OpOptions as _};
use buildkit_proto::gateway;
use futures_util::future::try_join_all;
use serde_json::json;
use tokio::sync::OnceCell;

use crate::gateway::error::BuildError;
use crate::inventory;
use crate::options::target::Target;
use condafront_input::options::Options;
use condafront_model::platform::Platform;

/// The type of SPDX documents in in-toto statements.
const SPDX: &str = "https://spdx.dev/Document";
/// The file that holds the document until BuildKit attests it.
const DOCUMENT: &str = "/sbom.spdx.json";

impl Session<'_> {
    /// Builds the target `image` or `prefix` for each of `platforms`.
    pub(super) async fn images(
        &self,
        target: Target,
        platforms: &[Platform],
    ) -> Result<gateway::Result, BuildError> {
        let image = async |platform: Platform| {
            let session = self.on(platform);
            let input = session.image_input().await?;
            session.warn(&input.warnings).await?;
            if target == Target::Image {
                session.check_commands(&input.section)?;
            }
            let ground = session.ground(&input).await?;
            let plan = OnceCell::new();
            let image = ground.link(&plan).await?;
            let built = if target == Target::Prefix {
                image.prefix().await?
            } else {
                image.check_libc()?;
                image.finish().await?
            };
            Ok::<_, BuildError>((platform, built))
        };
        let images = try_join_all(platforms.iter().map(|platform| image(*platform))).await?;
        self.result(&images).await
    }

    /// The result in BuildKit's form.
    async fn result(&self, images: &[(Platform, Built)]) -> Result<gateway::Result, BuildError> {
        let mut references = BTreeMap::new();
        let mut metadata = BTreeMap::new();
        let mut attestations = BTreeMap::new();
        let wants_inventory = wants_inventory(self.options);
        let several = self.options.is_multi_platform() || images.len() > 1;
        for (platform, image) in images {
            let reference = match &image.root {
                Input::Output(output) => self.evaluate(output).await?.to_proto(),
                Input::Scratch => gateway::Ref::default(),
            };
            let id = platform.to_string();
            if let Some(inventory) = image.inventory.as_ref().filter(|_| wants_inventory) {
                let document = inventory::document(inventory, inventory::Layers::Told);
                let file = File::on(Input::Scratch)
                    .then(Mkfile::new(DOCUMENT, document))
                    .name("[sbom] attestation")
                    .build();
                if let Input::Output(file) = file {
                    let reference = self.evaluate(&file).await?.to_proto();
                    attestations.insert(id.clone(), attested(reference));
                }
            }
            let key = if several {
                format!("containerimage.config/{id}")
            } else {
                "containerimage.config".to_owned()
            };
            metadata.insert(key, image.config.to_json());
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

/// Whether the user asks for an inventory in an attestation, and for no scanner of their own.
fn wants_inventory(options: &Options) -> bool {
    let scanner = options.get("attest:sbom").unwrap_or_default();
    options.has("attest:sbom")
        && !scanner
            .split(',')
            .any(|part| part.starts_with("generator="))
}

/// An inventory as the attestation that `--sbom=true` asks for. BuildKit then starts no scanner
/// (`solver/llbsolver/proc/sbom.go`).
fn attested(inventory: gateway::Ref) -> gateway::Attestations {
    let subject = gateway::InTotoSubject {
        kind: gateway::InTotoSubjectKind::Self_.into(),
        ..Default::default()
    };
    let reason = ("reason".to_owned(), b"sbom".to_vec());
    let attestation = gateway::Attestation {
        kind: gateway::AttestationKind::InToto.into(),
        metadata: BTreeMap::from([reason]),
        r#ref: Some(inventory),
        path: DOCUMENT.to_owned(),
        in_toto_predicate_type: SPDX.to_owned(),
        in_toto_subjects: vec![subject],
    };
    gateway::Attestations {
        attestation: vec![attestation],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_inventory_is_attested_unless_a_scanner_is_named() {
        for (option, expected) in [
            ("attest:sbom=", true),
            ("attest:sbom=type=sbom", true),
            ("attest:sbom=type=sbom,generator=org/scanner", false),
            ("attest:provenance=mode=max", false),
        ] {
            let options =
                Options::from_env([("BUILDKIT_FRONTEND_OPT_0".to_owned(), option.to_owned())]);
            assert_eq!(wants_inventory(&options), expected, "{option}");
        }
    }
}
