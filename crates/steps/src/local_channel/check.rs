//! The step that checks whether a folder has what a build needs from it. BuildKit itself checks what comes from a web
//! server.

use std::fs;
use std::path::Path;

use crate::install::digests;
use crate::parallel::try_map;
use condafront_step_spec::args::StepSpec as _;
use condafront_step_spec::channel_folder::{FOLDER, HELP};
use condafront_step_spec::failure_report::{Culprit, FailureReport};
use condafront_step_spec::local_channel::{CHECKED_FILE, CheckSpec, WantedFile};

/// Runs the subcommand `channel-check` with the arguments `args`; the folder is at `folder`.
///
/// # Errors
/// The files that are missing or do not match.
pub fn check(args: &[String], folder: &Path, output: &Path) -> Result<(), FailureReport> {
    let (_, files) = CheckSpec::from_args(args)?;
    let missing: Vec<usize> = files
        .iter()
        .enumerate()
        .filter(|(_, file)| !folder.join(&file.path).is_file())
        .map(|(index, _)| index)
        .collect();
    if !missing.is_empty() {
        return Err(absence(&files, &missing));
    }
    let found = try_map(&files, |_, file| digests(&folder.join(&file.path)))?;
    let wrong = files.iter().zip(&found).enumerate();
    let wrong = wrong.filter_map(|(index, (file, found))| {
        let label = format!("{} in {FOLDER}", file.path);
        let error = found.check(&label, file.sha256.as_deref(), file.md5.as_deref());
        Some((index, error.err()?.to_string()))
    });
    let (culprits, messages): (Vec<Culprit>, Vec<String>) = wrong
        .map(|(index, message)| (Culprit::Package(index), message))
        .unzip();
    if !messages.is_empty() {
        return Err(FailureReport {
            help: Some(format!(
                "The file in the folder was replaced, or belongs to a different lock. {HELP}"
            )),
            culprits,
            ..FailureReport::new(messages.join("\n"))
        });
    }
    Ok(fs::write(output.join(CHECKED_FILE), b"")?)
}

/// The report about the files at these indices, which are all missing.
fn absence(files: &[WantedFile], missing: &[usize]) -> FailureReport {
    /// Beyond this many, files are only counted.
    const MOST: usize = 10;
    let named = |index: &usize| format!("{} ({})", files[*index].label, files[*index].path);
    let message = match missing {
        [one] => format!("{FOLDER} does not have {}", named(one)),
        several => {
            let mut message = format!("{FOLDER} does not have {} packages:", several.len());
            for index in several.iter().take(MOST) {
                message.push_str(&format!("\n- {}", named(index)));
            }
            if several.len() > MOST {
                message.push_str(&format!("\n- and {} more", several.len() - MOST));
            }
            message
        }
    };
    FailureReport {
        help: Some(HELP.to_owned()),
        culprits: missing
            .iter()
            .map(|index| Culprit::Package(*index))
            .collect(),
        ..FailureReport::new(message)
    }
}
