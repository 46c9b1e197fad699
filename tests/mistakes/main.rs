//! The mistakes that people make in env.yml, its `condafront:` section and the build-args for a build without a file, and
//! the messages they get.
//!
//! Each mistake has a message at its line that says what to do. The snapshot reads from top to bottom. To add a mistake,
//! add an entry to a table.

mod dependencies;
mod other_keys;
mod section;
mod warnings;

use condafront::options::settings::Settings;
use condafront_input as input;
use condafront_input::specs::Specs;
use condafront_input::{BuildSource, EnvironmentInput};
use condafront_model::platform::Platform;
use condafront_model::source::{Diagnostic, Level, SourceFile};

/// What went wrong, the build file (empty for a build without one), and the build-args.
type Mistake = (
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
);

fn read(text: &str, args: &[(&str, &str)]) -> Result<EnvironmentInput, Diagnostic> {
    let settings = Settings::from_build_args(args.iter().copied())?;
    let platform = Platform::LinuxAmd64;
    if text.is_empty() {
        return Specs::new(&settings.specs, &settings.input)?.read(platform);
    }
    let file = SourceFile::new("env.yml", text);
    match BuildSource::of(&file, &settings.specs, &settings.input)? {
        // An image file cannot be named by another, but its own mistakes come first.
        BuildSource::File(file) => input::image_file(&file, platform, &settings.input)
            .and_then(|_| input::read(&file, platform, &settings.input)),
        BuildSource::Specs(specs) => specs.read(platform),
    }
}

/// A table as the user sees it.
fn rendered(title: &str, mistakes: &[Mistake]) -> String {
    let mut all = format!("{title}\n{}\n\n", "=".repeat(title.len()));
    for (name, text, args) in mistakes {
        all.push_str(&format!("## {name}\n"));
        for (name, value) in *args {
            all.push_str(&format!("--build-arg {name}={value:?}\n"));
        }
        match read(text, args) {
            Err(error) => {
                // A message about a build-arg says what its value must be, and its place is the command line.
                let is_arg = error.message.starts_with("build-arg ");
                assert!(is_arg || error.help.is_some(), "{name} has no advice");
                assert!(is_arg || !error.locations.is_empty(), "{name} has no place");
                all.push_str(&error.render(Level::Error));
            }
            Ok(input) => {
                assert!(
                    !input.warnings.is_empty(),
                    "{name} is not a mistake: {input:?}"
                );
                for warning in &input.warnings {
                    assert!(warning.diagnostic.help.is_some(), "{name} has no advice");
                    all.push_str(&format!("[{}] ", warning.rule.name()));
                    all.push_str(&warning.diagnostic.render(Level::Warning));
                    all.push('\n');
                }
            }
        }
        all.push_str("\n\n");
    }
    all
}

#[test]
fn every_mistake_is_reported_at_its_line_with_what_to_do() {
    let errors = [
        ("Dependencies", dependencies::DEPENDENCIES),
        ("Packages for pip", dependencies::PIP),
        ("Channels", dependencies::CHANNELS),
        ("The rest of env.yml", other_keys::REST),
        ("What other tools left", other_keys::LEFTOVERS),
        ("The condafront: section", section::SECTION),
        ("Build-args", section::BUILD_ARGS),
    ];
    let mut all = String::new();
    for (title, mistakes) in errors {
        for (name, text, args) in mistakes {
            assert!(read(text, args).is_err(), "{title}: {name} is accepted");
        }
        all.push_str(&rendered(title, mistakes));
    }
    for (name, text, args) in warnings::WARNINGS {
        if let Err(error) = read(text, args) {
            panic!("{name} is refused: {error}");
        }
    }
    all.push_str(&rendered("Warnings", warnings::WARNINGS));
    for secret in ["hunter2", "tk-1"] {
        assert!(!all.contains(secret), "{secret} is shown");
    }
    insta::assert_snapshot!(all);
}
