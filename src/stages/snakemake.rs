//! Where Snakemake looks for an image's environments.

use super::input::ImageInput;

use md5::{Digest as _, Md5};

use condafront_input::section::Contract;
use condafront_model::source::SourceFile;

/// The folder of environments in images that `snakemake --containerize` describes (`snakemake/deployment/containerize.py`).
const FOLDER: &str = "/conda-envs";

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
    let hash = Md5::digest(file.lossy_text().as_bytes());
    format!("{FOLDER}/{}", hex::encode(hash))
}
