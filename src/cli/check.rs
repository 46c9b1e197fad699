//! Checks an environment's file and the files that it names.

use std::sync::Arc;

use super::files::{CheckedLists, Files};
use super::output::tell;
use condafront_input::file_path::FilePath;
use condafront_input::pypi::{self, PypiPackages};
use condafront_input::{
    Conda, EnvironmentInput, InputSettings, KnownCategories, LockedPip, Pip, PipRequirement,
    findings, or_skip,
};
use condafront_model::check_options::CheckOptions;
use condafront_model::cutoff::Limit;
use condafront_model::lint::{self, Warning};
use condafront_model::source::{Diagnostic, Level, SourceFile};

/// What a file asks for, in a few words.
fn summary(input: &EnvironmentInput) -> String {
    let count = |number: usize, one: &str, many: &str| match number {
        1 => format!("1 {one}"),
        number => format!("{number} {many}"),
    };
    let mut parts = Vec::new();
    match &input.pip {
        pip if pip.is_empty() => {}
        Pip::Locked(LockedPip {
            files,
            local,
            repositories,
            ..
        }) => {
            let number = files.len() + local.len() + repositories.len();
            parts.push(count(number, "PyPI package", "PyPI packages"));
        }
        Pip::Unsolved(requirements) => {
            parts.push(count(requirements.len(), "line for pip", "lines for pip"));
        }
    }
    match &input.conda {
        Conda::Locked(packages) => {
            parts.insert(0, count(packages.len(), "package", "packages"));
        }
        Conda::Unsolved(request) => {
            let specs = count(request.specs.len(), "dependency", "dependencies");
            parts.insert(0, specs);
            let channels = request.channels.iter().map(|channel| channel.name.as_str());
            let names: Vec<&str> = channels.collect();
            let names = names.join(", ");
            let cutoff = request
                .exclude_newer
                .as_ref()
                .and_then(|asked| asked.cutoff);
            parts.push(match cutoff {
                None => format!("to be solved with {names}"),
                Some(Limit::At(cutoff)) => format!("to be solved with {names} as of {cutoff}"),
                Some(age) => format!("to be solved with {names} as of {age} ago"),
            });
        }
    }
    parts.join(", ")
}

/// Reports what is wrong with an environment's file in `folder` and with the files that it names, and then summarizes what
/// it asks for. `more` is what the image asks of pip for this environment, and the folder of its file. Adds the `categories`
/// that the files have.
pub(super) fn check(
    files: &Files,
    folder: &FilePath,
    file: &Arc<SourceFile>,
    input: &EnvironmentInput,
    more: Option<(&[PipRequirement], &FilePath)>,
    (settings, options): (&InputSettings, &CheckOptions),
    categories: &mut KnownCategories,
) -> Result<String, Diagnostic> {
    let (list, local) = match &input.pip {
        Pip::Locked(LockedPip { files, local, .. }) => {
            pypi::check_files(files, file)?;
            ([].as_slice(), local.as_slice())
        }
        Pip::Unsolved(list) => (list.as_slice(), [].as_slice()),
    };
    let mut lists = vec![(list, folder), (input.section.pip.as_slice(), folder)];
    lists.extend(more);
    let CheckedLists {
        found,
        warnings: mut about_files,
        lacks_file,
        unread,
    } = files.check_lists(&lists, &settings.build_args)?;
    found.list.check_credentials(&settings.build_args)?;
    for package in local {
        let found = files.missing(&package.named(file, folder));
        about_files.extend(found.map_err(|error| or_skip(error, &package.name))?);
    }
    let locked = match &input.pip {
        Pip::Locked(locked) => locked.clone(),
        Pip::Unsolved(_) => LockedPip::default(),
    };
    let pip = PypiPackages {
        locked: locked.files,
        local: locked.local,
        repositories: locked.repositories,
        pylocks: found.pylocks,
        list: found.list,
    };
    // What was not read may have the hashes.
    if !lacks_file {
        pip.check_hashes(&input.conda)?;
    }
    categories.add(input, file, &pip.pylocks);
    if lacks_file {
        categories.leave_out();
    }
    let of_all = findings::of_environment(input, &pip, file);
    warn(
        &[&input.warnings[..], &about_files, &of_all].concat(),
        options,
    )?;
    let mut text = format!("{}: {}\n", file.name(), summary(input));
    for url in unread {
        text.push_str(&format!("Only a build reads the list at {url}.\n"));
    }
    Ok(text)
}

/// Prints the warnings that count.
///
/// # Errors
/// The first of them, if the user wants them to be errors.
pub(super) fn warn(warnings: &[Warning], options: &CheckOptions) -> Result<(), Diagnostic> {
    let counted = options.counted(warnings);
    for warning in lint::shown(&counted) {
        tell(&warning.diagnostic.render(Level::Warning));
    }
    match counted.into_iter().next().filter(|_| options.is_error()) {
        Some(warning) => Err(warning.into_error()),
        None => Ok(()),
    }
}
