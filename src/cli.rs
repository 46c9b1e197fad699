//! The command-line tool, for use outside BuildKit.

mod arguments;
mod check;
mod files;
mod graph;
mod output;

use condafront_input::build_packages::{self, BuildFor};
use std::io::ErrorKind;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use buildkit_llb::{dot, text};
use prost::Message as _;

use crate::findings as of_image;
use crate::image::name::BaseName;
use crate::options::choices::Choices;
use crate::options::settings::Settings;
use arguments::{Command, CommandLine, HELP};
use check::{check, warn};
use condafront_graph::plan::Plan;
use condafront_input as input;
use condafront_input::file_path::NamedPath;
use condafront_input::section::{ImageFile, ImageSection};
use condafront_input::{
    BuildInput, BuildSource, Conda, EnvironmentInput, KnownCategories, Logins, SolveRequest,
    check_options, check_skips, syntax_line,
};
use condafront_model::check_options::CheckOptions;
use condafront_model::environment_prefix::EnvironmentPrefix;
use condafront_model::source::{Diagnostic, Level, Location, SourceFile};
use files::{Files, read_bounded};
use graph::Locked;
use output::{print, tell};

/// Runs a command line, which does not include the program's name.
pub fn run(args: &[String]) -> ExitCode {
    if args.is_empty()
        || args
            .iter()
            .any(|arg| arg == "--help" || arg == "-h" || arg == "help")
    {
        return print(HELP.as_bytes());
    }
    let is_version = args.iter().any(|arg| arg == "--version" || arg == "-V");
    if is_version || args == ["version"] {
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
            tell(&diagnostic.render(Level::Error));
            ExitCode::FAILURE
        }
    }
}

/// What a file asks of a solve, even if a lock answers it.
fn request_of(input: &EnvironmentInput) -> Option<SolveRequest> {
    match &input.conda {
        Conda::Unsolved(request) => Some(SolveRequest::clone(request)),
        Conda::Locked(_) => None,
    }
}

/// A remark as a line of its own.
fn sentence(remark: Option<String>) -> String {
    let Some(remark) = remark else {
        return String::new();
    };
    let mut letters = remark.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    format!("{}{}.\n", String::from_iter(first), letters.as_str())
}

fn read_file(path: &str) -> Result<Arc<SourceFile>, Diagnostic> {
    let data = read_bounded(Path::new(path)).map_err(|error| match error.kind() {
        ErrorKind::IsADirectory => Diagnostic::new(format!("`{path}` is a folder"))
            .help("Name a file in it, for example an env.yml.")
            .caused_by(error),
        ErrorKind::NotFound if path == "-" => Diagnostic::new("there is no file `-`")
            .help("For standard input, write /dev/stdin.")
            .caused_by(error),
        _ => Diagnostic::new(format!("cannot read `{path}`: {error}")).caused_by(error),
    })?;
    Ok(SourceFile::new(path, data))
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
        warn(syntax_line::warning(&file).as_slice(), &settings.check)?;
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
        self.check_image(&settings, &input.section, &file)?;
        let mut categories = KnownCategories::default();
        let summary = check(
            &files,
            &files.folder,
            &file,
            &input,
            None,
            (&settings.input, &settings.check),
            &mut categories,
        )?;
        categories.check(&settings.input.categories)?;
        let asking = (!input.pip.is_empty() || !input.section.pip.is_empty()).then_some(BuildFor {
            file: &file,
            request: request.as_ref(),
            settings: &settings.input,
        });
        self.check_build(&input.section, &file, asking.as_slice(), &settings.check)?;
        if let Command::Check = self.command {
            let unknown = of_image::left_to_a_build([&input], &input.section);
            return Ok((summary + &sentence(unknown)).into_bytes());
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

    /// Reports what is wrong with what the image section of `file` and the build-args choose together.
    fn check_image(
        &self,
        settings: &Settings,
        section: &ImageSection,
        file: &Arc<SourceFile>,
    ) -> Result<(), Diagnostic> {
        let base = Choices::new(settings, section).base;
        if let Err(error) = base.value.parse::<BaseName>() {
            let error = Diagnostic::of(error);
            return Err(match base.lines {
                Some(lines) => error.at(file, lines),
                None => error,
            });
        }
        let mut found = of_image::all(settings, section, file);
        found.extend(of_image::installer(settings, section, self.platform)?);
        warn(&found, &settings.check)
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
        own.extend(image.warnings.iter().cloned());
        warn(&own, options)?;
        self.check_image(settings, &image.section, file)?;
        let mut text = String::new();
        let mut inputs = Vec::new();
        let mut asking = Vec::new();
        let mut categories = KnownCategories::default();
        if image.count_left_out() > 0 {
            categories.leave_out();
        }
        for one in &image.environments {
            let found = files.named(&NamedPath {
                path: one.file.value.clone(),
                folder: files.folder.clone(),
                beside: None,
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
            let summary = check(
                files,
                &folder,
                file,
                &input,
                of_image,
                about,
                &mut categories,
            )?;
            text.push_str(&summary);
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
        categories.check(&settings.input.categories)?;
        let unknown = of_image::left_to_a_build(&inputs, &image.section);
        Ok((text + &sentence(unknown)).into_bytes())
    }
}
