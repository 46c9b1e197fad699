//! The image's inventory: a layer on top, and an attestation.

use super::assembly::{Image, Progress};
use super::session::Session;

use std::collections::BTreeMap;

use buildkit_llb::{File, Input, Mkfile, OpOptions as _, Output};
use buildkit_proto::gateway;

use crate::gateway::error::BuildError;
use crate::inventory::{self, Component, Inventory, Layers};
use condafront_graph::conda_image;
use condafront_graph::image::{FINISHED, Stack};
use condafront_graph::inventory::INVENTORY_LAYER;
use condafront_input::options::Options;

/// The type of SPDX documents in in-toto statements.
const SPDX: &str = "https://spdx.dev/Document";
/// The file that holds the document until BuildKit attests it.
const DOCUMENT: &str = "/sbom.spdx.json";

impl Image<'_> {
    /// Puts the image's inventory on top. It depends on `proofs`, as all of the image must: a cache that is exported with
    /// the image lacks them otherwise.
    pub(super) fn add_inventory(&self, progress: &mut Progress, proofs: &[Output]) -> Inventory {
        let base = self.base.base.reference.as_deref();
        let inventory = Inventory {
            base: base.map(Component::image),
            system: self.base.added.clone(),
            environments: self.components(&progress.pypi),
        };
        let mut stack = Stack::default();
        self.push_inventory(&inventory, proofs, &mut stack);
        let stack = stack.prefix_through(&self.links, &self.tools);
        progress.root = stack.on(&progress.root, self.stacking, FINISHED);
        progress.history.extend(stack.names());
        inventory
    }

    /// Adds the layer with an inventory, which depends on `proofs`.
    pub(super) fn push_inventory(
        &self,
        inventory: &Inventory,
        proofs: &[Output],
        stack: &mut Stack,
    ) {
        let document = inventory::document(inventory, Layers::LeftOut);
        let layer = self
            .tools
            .inventory(&document, self.user.ownership(), proofs);
        if let Input::Output(layer) = layer {
            stack.push(&layer, INVENTORY_LAYER);
        }
    }

    /// The packages of each environment; `pypi` are those that are not in its plan.
    pub(super) fn components(&self, pypi: &[Vec<Component>]) -> Vec<Vec<Component>> {
        let layers = conda_image::layer_names(&self.layered(), self.shared);
        let none = Vec::new();
        let pypi = pypi.iter().chain(std::iter::repeat(&none));
        let environments = self.environments.iter().zip(&layers).zip(pypi);
        let environments = environments.map(|((one, layers), pypi)| {
            let planned = &one.environment.plan.packages;
            let conda = planned.iter().zip(&one.facts.packages).zip(layers);
            let conda = conda
                .map(|((planned, facts), layer)| Component::conda(planned, facts).in_layer(layer));
            by_name(conda)
                .chain(by_name(pypi.iter().cloned()))
                .collect()
        });
        environments.collect()
    }
}

/// Components in the order of their names: files and pip list them in any order.
fn by_name(components: impl Iterator<Item = Component>) -> impl Iterator<Item = Component> {
    let mut sorted: Vec<Component> = components.collect();
    sorted.sort_by(|a, b| a.name().cmp(b.name()));
    sorted.into_iter()
}

impl Session<'_> {
    /// The attestation with an image's inventory, if the user asks for one.
    pub(super) async fn attested(
        &self,
        inventory: &Inventory,
    ) -> Result<Option<gateway::Attestations>, BuildError> {
        if !wants_inventory(self.options) {
            return Ok(None);
        }
        let document = inventory::document(inventory, Layers::Told);
        let file = File::on(Input::Scratch)
            .then(Mkfile::new(DOCUMENT, document))
            .name("[sbom] attestation")
            .build();
        let Input::Output(file) = file else {
            return Ok(None);
        };
        let reference = self.evaluate(&file).await?.to_proto();
        Ok(Some(attestation(reference)))
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
fn attestation(inventory: gateway::Ref) -> gateway::Attestations {
    let subject = gateway::InTotoSubject {
        kind: gateway::InTotoSubjectKind::Self_.into(),
        ..Default::default()
    };
    let reason = ("reason".to_owned(), b"sbom".to_vec());
    let one = gateway::Attestation {
        kind: gateway::AttestationKind::InToto.into(),
        metadata: BTreeMap::from([reason]),
        r#ref: Some(inventory),
        path: DOCUMENT.to_owned(),
        in_toto_predicate_type: SPDX.to_owned(),
        in_toto_subjects: vec![subject],
    };
    gateway::Attestations {
        attestation: vec![one],
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
