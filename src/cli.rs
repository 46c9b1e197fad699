//! The command-line tool, for use outside BuildKit.

mod arguments;
mod files;
mod graph;

use condafront_input::build_packages::{self, BuildFor};
use condafront_input::pypi::{self, PypiPackages};
use std::io::{ErrorKind, Write as _};
use std::process::ExitCode;
use std::sync::Arc;

use buildkit_llb::{dot, text};
use prost::Message as _;

use crate::findings as of_image;
use crate::options::choices::Choices;
use crate::options::settings::Settings;
use arguments::{Command, CommandLine, HELP};
use condafront_graph::plan::Plan;
use condafront_input as input;
use condafront_input::file_path::{FilePath, NamedPath};
use condafront_input::section::{ImageFile, ImageSection};
use condafront_input::{
    BuildInput, BuildSource, Conda, EnvironmentInput, InputSettings, LockedPip, Logins, Pip,
    PipRequirement, SolveRequest, check_options, check_skips, findings, or_skip,
};
use condafront_model::check_options::CheckOptions;
use condafront_model::cutoff::Limit;
use condafront_model::environment_prefix::EnvironmentPrefix;
use condafront_model::lint::{self, Warning};
use condafront_model::source::{Diagnostic, Level, Location, SourceFile};
use files::Files;
use graph::Locked;

/// Runs a command line, which does not include the program's name.
pub fn run(args: &[String]) -> ExitCode {
    if args.is_empty()
        || args
            .iter()
            .any(|arg| arg == "--help" || arg == "-h" || arg == "help")
    {
        return print(HELP.as_bytes());
    }
    if args.iter().any(|arg| arg == "--version" || arg == "-V") {
        return print(format!("condafront {}\n", env!("CARGO_PKG_VERSION")).as_bytes());
    }
    let outcome = CommandLine::parse(args)
        .map_err(|error| {
            let help = error.help();
            Diagnostic::of(error).help(help)
        })
        .and_then(|request| request.answer());
    match outcome {
        Ok(output) => print(&output),
        Err(diagnostic) => {
            eprintln!("{}", diagnostic.render(Level::Error));
            ExitCode::FAILURE
        }
    }
}

/// What a file asks for, in a few words.
fn summary(input: &EnvironmentInput) -> String {
    let count = |number: usize, one: &str, many: &str| match number {
        1 => format!("1 {one}"),
        number => format!("{number} {many}"),
    };
    let mut parts = Vec::new();
    match &input.pip {
        pip if pip.is_empty() => {}
        Pip::Locked(LockedPip { files, local, .. }) => {
            let number = files.len() + local.len();
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

/// What a file asks of a solve, even if a lock answers it.
fn request_of(input: &EnvironmentInput) -> Option<SolveRequest> {
    match &input.conda {
        Conda::Unsolved(request) => Some(SolveRequest::clone(request)),
        Conda::Locked(_) => None,
    }
}

fn read_file(path: &str) -> Result<Arc<SourceFile>, Diagnostic> {
    let data = std::fs::read(path).map_err(|error| match error.kind() {
        ErrorKind::IsADirectory => Diagnostic::new(format!("`{path}` is a folder"))
            .help("Name a file in it, for example an env.yml.")
            .caused_by(error),
        _ => Diagnostic::new(format!("cannot read `{path}`: {error}")).caused_by(error),
    })?;
    Ok(SourceFile::new(path, data))
}

/// Reports what is wrong with an environment's file in `folder` and with the files that it names, and then summarizes what
/// it asks for. `more` is what the image asks of pip for this environment, and the folder of its file.
fn check(
    files: &Files,
    folder: &FilePath,
    file: &Arc<SourceFile>,
    input: &EnvironmentInput,
    more: Option<(&[PipRequirement], &FilePath)>,
    (settings, options): (&InputSettings, &CheckOptions),
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
    let (found, mut about_files) = files.check_lists(&lists, &settings.build_args)?;
    for package in local {
        let found = files.missing(&package.named(file, folder));
        about_files.extend(found.map_err(|error| or_skip(error, &package.name))?);
    }
    let pip = PypiPackages {
        locked: match &input.pip {
            Pip::Locked(locked) => locked.files.clone(),
            Pip::Unsolved(_) => Vec::new(),
        },
        local: Vec::new(),
        pylocks: found.pylocks,
        list: found.list,
    };
    let of_all = findings::of_environment(input, &pip, file, &settings.categories);
    warn(
        &[&input.warnings[..], &about_files, &of_all].concat(),
        options,
    )?;
    Ok(format!("{}: {}\n", file.name(), summary(input)))
}

/// Prints the warnings that count.
///
/// # Errors
/// The first of them, if the user wants them to be errors.
fn warn(warnings: &[Warning], options: &CheckOptions) -> Result<(), Diagnostic> {
    let counted = options.counted(warnings);
    for warning in lint::shown(&counted) {
        eprintln!("{}", warning.diagnostic.render(Level::Warning));
    }
    match counted.into_iter().next().filter(|_| options.is_error()) {
        Some(warning) => Err(warning.into_error()),
        None => Ok(()),
    }
}

fn print(bytes: &[u8]) -> ExitCode {
    // A closed pipe (`| head`) is the reader's choice, not an error.
    let _ = std::io::stdout().lock().write_all(bytes);
    ExitCode::SUCCESS
}

impl CommandLine {
    fn answer(&self) -> Result<Vec<u8>, Diagnostic> {
        let file = read_file(&self.file)?;
        let files = Files::of(&self.file);
        let args = self
            .build_args
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        let settings = Settings {
            check: check_options(&file, args.clone())?,
            ..Settings::with_logins(args, Logins::Unknown)?
        };
        let source = BuildSource::of(&file, &settings.specs, &settings.input)?;
        let (input, request) =
            match input::read_build_source(&source, self.platform, &settings.input)? {
                BuildInput::Environment(input) => {
                    let (folder, settings) = (&files.folder, &settings.input);
                    let request = request_of(&input);
                    let input =
                        files.with_own_lock(folder, &file, *input, self.platform, settings)?;
                    (input, request)
                }
                BuildInput::Image(image) => {
                    return self.image_file(&files, &file, &image, &settings);
                }
            };
        let of_image = of_image::all(&settings, &input.section, &file);
        warn(&of_image, &settings.check)?;
        let summary = check(
            &files,
            &files.folder,
            &file,
            &input,
            None,
            (&settings.input, &settings.check),
        )?;
        let asking = (!input.pip.is_empty() || !input.section.pip.is_empty()).then_some(BuildFor {
            file: &file,
            request: request.as_ref(),
            settings: &settings.input,
        });
        self.check_build(&input.section, &file, asking.as_slice(), &settings.check)?;
        if let Command::Check = self.command {
            return Ok(summary.into_bytes());
        }
        let choices = Choices::new(&settings, &input.section);
        let Conda::Locked(packages) = input.conda else {
            return Err(Diagnostic::new(format!(
                "`{}` must be solved first, which needs its channels",
                self.file
            ))
            .help("Build it with --target lock, and name the lock file instead."));
        };
        let locked = Locked {
            file: &file,
            plan: Plan::new(packages, choices.layers.value.unwrap_or_default()),
            pip: &input.pip,
            prefix: input.prefix.unwrap_or(EnvironmentPrefix::base()),
            settings: &settings,
            choices: &choices,
            platform: self.platform,
            frontend: &self.frontend,
        };
        let definition = locked.definition()?;
        Ok(match self.command {
            Command::Llb { text: true } => text::dump(definition.to_pb()).into_bytes(),
            Command::Graph => dot::graph(definition.to_pb()).into_bytes(),
            _ => definition.to_pb().encode_to_vec(),
        })
    }

    /// Reports what is wrong with the packages of `section` that only builds see, for the environments that have something to
    /// build; `file` has the section.
    fn check_build(
        &self,
        section: &ImageSection,
        file: &Arc<SourceFile>,
        asking: &[BuildFor<'_>],
        options: &CheckOptions,
    ) -> Result<(), Diagnostic> {
        let Some(build) = &section.build else {
            return Ok(());
        };
        let mut warnings = Vec::new();
        for environment in asking {
            let found =
                build_packages::requested(build, section, file, *environment, self.platform)?;
            warnings.extend(found.1);
        }
        if asking.is_empty() {
            warnings.push(build_packages::unused(build, file));
        }
        warn(&warnings, options)
    }

    /// Answers for an image file and the files that it names.
    fn image_file(
        &self,
        files: &Files,
        file: &Arc<SourceFile>,
        image: &ImageFile,
        settings: &Settings,
    ) -> Result<Vec<u8>, Diagnostic> {
        if !matches!(self.command, Command::Check) {
            return Err(Diagnostic::new(format!(
                "`{}` is an image file: its graph depends on what its packages contain",
                self.file
            ))
            .help("Draw the graph of one of the environments that it names."));
        }
        let options = &settings.check;
        let mut own = image.section.warnings(file);
        own.extend(of_image::all(settings, &image.section, file));
        warn(&[&own[..], &image.warnings].concat(), options)?;
        let mut text = String::new();
        let mut inputs = Vec::new();
        let mut asking = Vec::new();
        for one in &image.environments {
            let found = files.named(&NamedPath {
                path: one.file.value.clone(),
                folder: files.folder.clone(),
                or_context: true,
                location: Location {
                    file: Arc::clone(file),
                    lines: one.file.lines,
                },
            })?;
            warn(found.warning.as_slice(), options)?;
            let settings = settings.input.within(one, image);
            let input = input::read(&found.file, self.platform, &settings)?;
            let request = request_of(&input);
            let (file, folder) = (&found.file, found.path.folder());
            let input = files.with_own_lock(&folder, file, input, self.platform, &settings)?;
            let is_default = one.prefix.name() == image.default;
            let of_image = is_default.then_some((image.section.pip.as_slice(), &files.folder));
            let about = (&settings, options);
            text.push_str(&check(files, &folder, file, &input, of_image, about)?);
            if of_image.is_some_and(|(list, _)| !list.is_empty()) || !input.pip.is_empty() {
                asking.push((Arc::clone(file), request, settings));
            }
            inputs.push(input);
        }
        let asking = asking.iter().map(|(file, request, settings)| BuildFor {
            file,
            request: request.as_ref(),
            settings,
        });
        let asking: Vec<BuildFor<'_>> = asking.collect();
        self.check_build(&image.section, file, &asking, options)?;
        check_skips(&inputs)?;
        Ok(text.into_bytes())
    }
}
