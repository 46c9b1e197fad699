//! What steps notice, as warnings.

use condafront_model::lint::{Rule, Warning};
use condafront_model::source::{Diagnostic, Location};
use condafront_step_spec::facts::{Notice, Subject};

/// A notice as a warning at the place of its package; `place` knows where the package at an index is asked for.
pub(super) fn warning(notice: &Notice, place: impl FnOnce(usize) -> Option<Location>) -> Warning {
    let mut diagnostic = Diagnostic::new(&notice.message);
    if let Some(place) = notice.package.and_then(place) {
        diagnostic = diagnostic.at(&place.file, place.lines);
    }
    Warning {
        rule: rule_of(notice.subject),
        diagnostic,
    }
}

/// The lint rule of a notice about `subject`.
fn rule_of(subject: Subject) -> Rule {
    match subject {
        Subject::Bytecode => Rule::NoBytecode,
        Subject::Contents => Rule::PackageContents,
        Subject::Overwritten => Rule::OverwrittenFile,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use condafront_model::source::{Lines, SourceFile};

    #[test]
    fn warnings_are_at_the_lines_of_their_package() {
        let file = SourceFile::new("env.lock", "one\ntwo\n");
        let place = |index: usize| {
            Some(Location {
                file: file.clone(),
                lines: Lines::one(index + 1),
            })
        };
        let notice = Notice::new(Subject::Contents, "demo has no files");
        let warned = warning(&notice, place);
        assert_eq!(warned.rule, Rule::PackageContents);
        assert_eq!(warned.diagnostic, Diagnostic::new("demo has no files"));
        let notice = notice.of_package(1);
        let warned = warning(&notice, place);
        let expected = Diagnostic::new("demo has no files").at(&file, Lines::one(2));
        assert_eq!(warned.diagnostic, expected);
        assert_eq!(warning(&notice, |_| None).diagnostic.locations, []);
    }
}
