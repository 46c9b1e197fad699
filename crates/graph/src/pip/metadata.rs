//! What pip sees of the packages that are not in its root.

use buildkit_llb::{Cache, CacheSharing, File, Input, Mkfile, OpOptions as _, Output, Slot};

use crate::environment::Environment;
use crate::own_files::FILE_TIME;
use crate::step::Step;
use condafront_model::pypi_package::normalized;
use condafront_step_spec::args::{ArgsError, StepSpec as _};
use condafront_step_spec::facts::PackageFacts;
use condafront_step_spec::mounts::{FACTS_DIR, INPUT_DIR};
use condafront_step_spec::pip_metadata::{
    HANDED_OVER_DIR, METADATA_DIR, METADATA_FILE, METADATA_SOURCE_DIR, PackageMetadata,
    PipMetadataSpec,
};

/// The names in the progress, of the file with the metadata, and of the step that hands it over.
const METADATA: &str = "[pip] metadata of the other packages";
const HAND_OVER: &str = "[pip] hand over the metadata of the other packages";

/// How pip sees the packages that are not in its root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Beside {
    /// There are none: its root has everything.
    Nothing,
    /// As metadata that the cache key of its step does not depend on.
    HandedOver(Vec<PackageMetadata>),
    /// As metadata that the cache key depends on.
    Mounted(Vec<PackageMetadata>),
}

/// The metadata of a package, if it has Python distributions.
pub(super) fn metadata_of(package: &PackageFacts) -> Option<PackageMetadata> {
    let named = package.contains.iter().map(|it| normalized(&it.name));
    let found = PackageMetadata {
        distributions: package.distributions.iter().cloned().chain(named).collect(),
        files: package.metadata.clone(),
    };
    (!found.files.is_empty()).then_some(found)
}

impl Environment<'_> {
    /// Lets `step`, which asks pip and has the output `facts`, see what is `beside` its root. It still lacks its `wheels`.
    /// Returns the step that hands over the metadata, with its output.
    pub(super) fn show_metadata(
        &self,
        step: &mut Step,
        facts: Slot,
        beside: &Beside,
        wheels: &[Output],
    ) -> Result<Option<(Output, Step)>, ArgsError> {
        let packages = match beside {
            Beside::Nothing => return Ok(None),
            Beside::HandedOver(packages) | Beside::Mounted(packages) => packages,
        };
        let Input::Output(metadata) = self.metadata(packages)? else {
            return Ok(None);
        };
        let is_pinned = self.tools.content_cache;
        if matches!(beside, Beside::Mounted(_)) {
            step.input(METADATA_DIR, &metadata, is_pinned);
            return Ok(None);
        }
        let reader = step.exec().build()[facts].digest().to_string();
        // Several environments may have the same list.
        let environment = self.tools.environment.unwrap_or_default();
        let id = format!("condafront-pip-metadata-{environment}-{reader}");
        let mut shared = Cache::new(METADATA_DIR, id);
        shared.sharing(CacheSharing::Locked);
        let spec = PipMetadataSpec { reader };
        let mut hand_over = self.tools.step(spec.to_args(&[])?, HAND_OVER);
        hand_over.input(METADATA_SOURCE_DIR, &metadata, is_pinned);
        for (index, wheel) in wheels.iter().enumerate() {
            hand_over.input(&format!("{INPUT_DIR}/{index}"), wheel, false);
        }
        hand_over.exec().mount(shared.clone());
        let handed_over = hand_over.output(FACTS_DIR);
        let handed_over = hand_over.exec().build()[handed_over].clone();
        // By content, which is always the same.
        step.input(HANDED_OVER_DIR, &handed_over, false);
        shared.read_only();
        step.exec().mount(shared);
        Ok(Some((handed_over, hand_over)))
    }

    /// A folder with the metadata of `packages`.
    fn metadata(&self, packages: &[PackageMetadata]) -> Result<Input, ArgsError> {
        let text = serde_json::to_vec(packages).map_err(ArgsError::Write)?;
        let mut file = File::on(Input::Scratch);
        file.options(&self.tools.options(METADATA));
        let mut made = Mkfile::new(format!("/{METADATA_FILE}"), text);
        made.mode(0o644).time(FILE_TIME);
        file.then(made);
        Ok(file.build())
    }
}
