//! Where Snakemake looks for an image's environments.

use super::input::{EnvironmentFile, ImageInput};
use super::session::Session;

use md5::{Digest as _, Md5};

use crate::gateway::error::BuildError;
use condafront_input::file_path::NamedPath;
use condafront_input::section::Contract;
use condafront_model::redact::quoted;
use condafront_model::source::{Diagnostic, Lines, Location, SourceFile};

/// The folder of environments in images that `snakemake --containerize` describes (`snakemake/deployment/containerize.py`).
const FOLDER: &str = "/conda-envs";

/// Instead of a file's ending, in the name of the script that Snakemake runs in its environment.
const POST_DEPLOY: &str = ".post-deploy.sh";

/// The script that Snakemake runs after it creates the environment of the file `name`.
fn post_deploy(name: &str) -> String {
    let name = name.rsplit('/').next().unwrap_or(name);
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    format!("{stem}{POST_DEPLOY}")
}

impl Session<'_> {
    /// Refuses environments with such a script: Snakemake knows them by the script too, and the build does not run it.
    pub(super) async fn check_snakemake(&self, input: &ImageInput) -> Result<(), BuildError> {
        let mut contracts = input.section.contracts.iter();
        let Some(contract) = contracts.find(|it| it.value == Contract::Snakemake) else {
            return Ok(());
        };
        for one in &input.environments {
            self.check_post_deploy(one, contract.lines).await?;
        }
        Ok(())
    }

    async fn check_post_deploy(
        &self,
        environment: &EnvironmentFile,
        lines: Lines,
    ) -> Result<(), BuildError> {
        let file = &self.build_file.file;
        let script = NamedPath {
            path: post_deploy(environment.file.name()),
            folder: environment.folder.clone(),
            beside: None,
            or_context: false,
            location: Location {
                file: file.clone(),
                lines,
            },
        };
        let found = match self.sources.optional_file(&script).await {
            Ok(found) => found,
            // There is no such file, or nobody knows.
            Err(BuildError::Diagnostic(_)) => None,
            Err(error) => return Err(error),
        };
        if found.is_none() {
            return Ok(());
        }
        let message = format!(
            "Snakemake would run {} in the environment of {}, which a build cannot do",
            quoted(&script.path),
            quoted(environment.file.name())
        );
        let help = "Move its commands to `run`, and remove the script: Snakemake identifies the environment by both files.";
        Err(Diagnostic::new(message).at(file, lines).help(help).into())
    }
}

/// Links from where Snakemake looks for environments to where they are, if the image is for Snakemake.
pub(super) fn links(input: &ImageInput) -> Vec<(String, String)> {
    let mut contracts = input.section.contracts.iter();
    if !contracts.any(|contract| contract.value == Contract::Snakemake) {
        return Vec::new();
    }
    let mut links: Vec<(String, String)> = Vec::new();
    for one in &input.environments {
        let link = place(&one.file);
        // Two environments of the same file are the same to Snakemake.
        if links.iter().all(|(known, _)| *known != link) {
            links.push((link, one.prefix.path().to_owned()));
        }
    }
    links
}

/// Where Snakemake looks for the environment of a file: it knows files by their MD5 (`Env.content_hash` in
/// `snakemake/deployment/conda.py`).
pub(super) fn place(file: &SourceFile) -> String {
    let hash = Md5::digest(file.bytes());
    format!("{FOLDER}/{}", hex::encode(hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_environment_is_where_snakemake_looks_for_its_file() {
        // md5sum of the file as it is, with a byte order mark.
        let file = SourceFile::new("envs/a.yaml", b"\xef\xbb\xbfdependencies: [a]\n".to_vec());
        assert_eq!(place(&file), "/conda-envs/5c69ce90452788965549f25116364e36");
        assert_eq!(post_deploy(file.name()), "a.post-deploy.sh");
    }
}
