//! The command line's arguments.

use condafront_model::nearest::did_you_mean;
use condafront_model::platform::{Platform, UnknownPlatform};

/// What `--help` prints.
pub(super) const HELP: &str = "\
condafront turns conda environments into container images, as a frontend for docker build.

Put this line at the top of an environment or lock file, and build it with `docker build -f FILE .`:

    # syntax=org/condafront

Usage: condafront COMMAND FILE [OPTIONS]

Commands:
  check FILE        read the file and report what is wrong with it
  llb FILE          write the build graph for `buildctl build`, or as text with --text
  graph FILE        draw the build graph (DOT)

Other files are found as by `docker build -f FILE .`: beside the file that names them, or else in the current folder.

Only a build adds system packages, PyPI packages without a lock, post-link scripts, activation, and the section's
working directory, files and commands to the graph: they depend on what its steps find.

Options:
  --text                  write llb as readable text
  --platform PLATFORM     build for this platform (linux/amd64)
  --build-arg NAME=VALUE  set a build-arg, as with docker build
  --frontend IMAGE        the condafront image whose program runs the steps (org/condafront)
  --help, --version       show this help, or the version
";

/// What a command line asks for.
pub(super) struct CommandLine {
    pub(super) command: Command,
    /// The file that it is about.
    pub(super) file: String,
    pub(super) platform: Platform,
    pub(super) build_args: Vec<(String, String)>,
    /// The condafront image whose program runs the steps.
    pub(super) frontend: String,
}

/// What to do with the file.
#[derive(Clone, Copy)]
pub(super) enum Command {
    Check,
    Llb { text: bool },
    Graph,
}

/// Why a command line cannot be understood.
#[derive(Debug, thiserror::Error)]
pub(super) enum UsageError {
    #[error(transparent)]
    Syntax(#[from] lexopt::Error),
    #[error(transparent)]
    Platform(#[from] UnknownPlatform),
    #[error("--platform must be a platform as Docker names it, not `{0}`")]
    PlatformName(String, Platform),
    #[error("--platform must be one platform here, not several")]
    Platforms,
    #[error("--build-arg must be NAME=VALUE, not `{0}`")]
    BuildArg(String),
    #[error("`{0}` needs a file")]
    NoFile(&'static str),
    #[error("the file needs no option in front of it")]
    FileOption,
    #[error("expected one command and one file")]
    Words,
    #[error("`{0}` reads one file, not several")]
    Files(&'static str),
    #[error("there is no command `{0}`")]
    Command(String),
    #[error("there is no file `{0}`")]
    NoSuchFile(String),
    #[error("`{0}` is a file, not a command")]
    FileFirst(String),
}

impl UsageError {
    /// What to do.
    pub(super) fn help(&self) -> String {
        match self {
            Self::NoFile(command) => format!("For example: condafront {command} env.yml"),
            Self::FileFirst(file) => format!(
                "Write `condafront check {file}`. To build an image from it: docker build -f {file} ."
            ),
            Self::NoSuchFile(_) => "Check its name and the current folder.".to_owned(),
            Self::Command(word) => docker_build(word)
                .or_else(|| did_you_mean(word, COMMANDS))
                .unwrap_or_else(|| {
                    format!(
                        "The commands are {}. Images are built by docker build -f FILE .",
                        COMMANDS.join(", ")
                    )
                }),
            Self::FileOption => "Remove -f. For example: condafront check env.yml".to_owned(),
            Self::Platform(_) => {
                let all = Platform::ALL.map(|platform| platform.to_string());
                format!("Use one of {}.", all.join(", "))
            }
            Self::PlatformName(_, platform) => format!("Write --platform {platform}."),
            Self::Platforms => "Check them one after the other.".to_owned(),
            Self::Files(command) => {
                format!("Run it for each of them: condafront {command} env.yml")
            }
            Self::Syntax(_) | Self::BuildArg(_) | Self::Words => {
                "See condafront --help.".to_owned()
            }
        }
    }
}

/// The commands.
const COMMANDS: [&str; 3] = ["check", "llb", "graph"];

/// What is asked of `docker build`, and the options for it.
const DOCKER_BUILD: [(&str, &str); 7] = [
    ("build", ""),
    ("create", ""),
    ("lock", "--target lock -o . "),
    ("prefix", "--target prefix -o type=tar,dest=prefix.tar "),
    ("dev", "--target dev "),
    ("outline", "--call=outline "),
    ("targets", "--call=targets "),
];

/// How `docker build` does what somebody took for a command.
fn docker_build(word: &str) -> Option<String> {
    let (_, options) = DOCKER_BUILD.iter().find(|(known, _)| *known == word)?;
    Some(format!(
        "docker build does it: docker build {options}-f FILE ."
    ))
}

/// The platform of `--platform`.
fn named_platform(name: &str) -> Result<Platform, UsageError> {
    if name.contains(',') {
        return Err(UsageError::Platforms);
    }
    let of_architecture = |it: &Platform| it.architecture() == name;
    let meant = Platform::from_subdir(name).or(Platform::ALL.into_iter().find(of_architecture));
    match meant {
        Some(meant) => Err(UsageError::PlatformName(name.to_owned(), meant)),
        None => Ok(Platform::parse(name)?),
    }
}

impl CommandLine {
    /// Reads the arguments, which do not include the program's name.
    ///
    /// # Errors
    /// What is wrong with them.
    pub(super) fn parse(args: &[String]) -> Result<Self, UsageError> {
        use lexopt::prelude::*;
        let mut parser = lexopt::Parser::from_args(args);
        let mut words: Vec<String> = Vec::new();
        let mut text = false;
        let mut platform = Platform::LinuxAmd64;
        let mut build_args = Vec::new();
        let mut frontend = "org/condafront".to_owned();
        let words_of = |value: std::ffi::OsString| value.to_string_lossy().into_owned();
        while let Some(arg) = parser.next()? {
            let value = |parser: &mut lexopt::Parser| parser.value().map(words_of);
            match arg {
                Long("text") => text = true,
                Long("platform") => {
                    platform = named_platform(&value(&mut parser)?)?;
                }
                Long("build-arg") => {
                    let pair = value(&mut parser)?;
                    let (name, value) = pair
                        .split_once('=')
                        .ok_or_else(|| UsageError::BuildArg(pair.clone()))?;
                    build_args.push((name.to_owned(), value.to_owned()));
                }
                Long("frontend") => frontend = value(&mut parser)?,
                Short('f') | Long("file") => return Err(UsageError::FileOption),
                Value(word) => words.push(words_of(word)),
                other => return Err(other.unexpected().into()),
            }
        }
        let Some((word, files)) = words.split_first() else {
            return Err(UsageError::Words);
        };
        let Some(name) = COMMANDS.into_iter().find(|known| known == word) else {
            return Err(match std::fs::metadata(word) {
                Ok(found) if found.is_file() => UsageError::FileFirst(word.clone()),
                Err(_) if word.contains(['.', '/']) => UsageError::NoSuchFile(word.clone()),
                _ => UsageError::Command(word.clone()),
            });
        };
        let file = match files {
            [file] => file.clone(),
            [] => return Err(UsageError::NoFile(name)),
            _ => return Err(UsageError::Files(name)),
        };
        Ok(Self {
            command: match name {
                "llb" => Command::Llb { text },
                "graph" => Command::Graph,
                _ => Command::Check,
            },
            file,
            platform,
            build_args,
            frontend,
        })
    }
}
