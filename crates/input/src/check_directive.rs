//! `# check=…` at the top of a build file.

use std::sync::Arc;

use crate::place::Place;
use crate::settings::invalid;
use condafront_model::check_options::{CheckOptions, CheckOptionsError};
use condafront_model::source::{Diagnostic, Lines, SourceFile};

/// The build-arg that overrides the file, as for a Dockerfile.
const BUILD_ARG: &str = "BUILDKIT_DOCKERFILE_CHECK";

/// What the user wants of the lint: as the build-arg of that name says, or else the file.
///
/// # Errors
/// A diagnostic at the line that is not valid.
pub fn check_options<'a>(
    file: &Arc<SourceFile>,
    mut build_args: impl Iterator<Item = (&'a str, &'a str)>,
) -> Result<CheckOptions, Diagnostic> {
    let given = build_args.find(|(name, value)| *name == BUILD_ARG && !value.trim().is_empty());
    if let Some((name, value)) = given {
        return CheckOptions::parse_shared(value).map_err(|error| {
            let help = error.help();
            invalid(name, error).help(help)
        });
    }
    // That it is text is checked where it is read.
    let text = file.text().unwrap_or_default();
    let Some((line, value)) = directives(text).next() else {
        return Ok(CheckOptions::default());
    };
    let place = |line| Place {
        file,
        lines: Lines::one(line),
    };
    let after = directives(text).nth(1);
    if let Some((second, _)) = after {
        return Err(place(second)
            .error("the file has a second `# check` line")
            .help("Write all options in one line: # check=skip=NoChannel;error=true"));
    }
    let place = place(line);
    let at = |error: CheckOptionsError| {
        let help = error.help();
        place.error(error.to_string()).help(help).caused_by(error)
    };
    CheckOptions::parse(value).map_err(at)
}

/// The lines and the values of the directive in the comments at the top.
fn directives(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let comments = text.lines().map_while(|line| line.strip_prefix('#'));
    (1..).zip(comments).filter_map(|(line, comment)| {
        let (key, value) = comment.split_once('=')?;
        key.trim()
            .eq_ignore_ascii_case("check")
            .then_some((line, value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use condafront_model::lint::{Rule, Warning};

    fn is_skipped(text: &str, args: &[(&str, &str)]) -> Result<bool, Diagnostic> {
        let file = SourceFile::new("env.yml", text);
        let options = check_options(&file, args.iter().copied())?;
        let warning = Warning {
            rule: Rule::NoChannel,
            diagnostic: Diagnostic::new("no channel"),
        };
        Ok(options.counted(&[warning]).is_empty())
    }

    #[test]
    fn the_comments_at_the_top_are_read() {
        for (text, skipped) in [
            ("# syntax=x\n# check=skip=NoChannel\n", true),
            ("#check = skip=NoChannel\nname: x\n", true),
            ("# made by hand\n# CHECK=skip=all", true),
            ("# syntax=x\n\n# check=skip=all\n", false),
            ("name: x\n# check=skip=all\n", false),
            ("# checks=skip=all\n", false),
        ] {
            assert_eq!(is_skipped(text, &[]).unwrap(), skipped, "{text}");
        }
    }

    #[test]
    fn the_build_arg_comes_first() {
        let text = "# check=skip=NoChannel\n";
        let arg = |value| is_skipped(text, &[(BUILD_ARG, value)]);
        assert!(!arg("error=true").unwrap());
        assert!(arg("").unwrap());
        assert!(arg("skip=NoChanel").is_err());
        // One build-arg for several files may name rules of Dockerfiles.
        assert!(!arg("skip=JSONArgsRecommended").unwrap());
    }

    #[test]
    fn mistakes_are_told_at_their_line() {
        let error = is_skipped("# syntax=x\n# check=skip=NoChanel\n", &[]).unwrap_err();
        assert_eq!(error.locations[0].lines, Lines::one(2));
        assert!(error.to_string().contains("NoChannel"), "{error}");
        let two = "# check=skip=NoChannel\n# syntax=x\n# check=error=true\n";
        let error = is_skipped(two, &[]).unwrap_err();
        assert_eq!(error.locations[0].lines, Lines::one(3));
    }
}
