//! What the image section's files and commands have in common.

use super::session::Session;

use buildkit_llb::{OpOptions, Options, Output, Range, SourceFile as LlbFile};

use crate::image::config::ImageConfig;
use crate::image::section;
use condafront_input::section::ImageSection;
use condafront_model::environment_prefix::ROOT_PREFIX;
use condafront_model::image_path::is_in;
use condafront_model::source::Lines;
use condafront_step_spec::account::User;

/// The keys `copy` and `run`, and what they depend on.
pub(super) struct Additions<'a> {
    pub(super) session: Session<'a>,
    pub(super) section: &'a ImageSection,
    /// The image's configuration, with what the section sets: variables, working directory, shell.
    pub(super) config: &'a ImageConfig,
    /// The image's user.
    pub(super) user: &'a User,
    /// Whether the base image lacks the working directory.
    pub(super) made_workdir: bool,
    /// The frontend's own programs.
    pub(super) programs: &'a Output,
}

impl Additions<'_> {
    /// Where the group of the image's user may write to what is copied and to what commands leave.
    pub(super) fn shared_folders(&self) -> Vec<&str> {
        if !self.user.group_writable {
            return Vec::new();
        }
        let workdir = self.made_workdir.then(|| section::working_dir(self.config));
        shared_folders(&self.user.home, workdir)
    }

    /// An operation's options: its name, and the lines that its errors point at.
    pub(super) fn options(&self, name: String, lines: Lines) -> Options {
        let file = self.session.file;
        let line = |number| i32::try_from(number).unwrap_or(i32::MAX);
        let place = LlbFile::new(file.name(), file.excerpt_of(std::iter::once(lines)))
            .language(file.language())
            .location([Range::lines(line(lines.first), line(lines.last))]);
        let mut options = Options::new();
        options.name(name).location(place);
        if self.session.options.no_cache() {
            options.ignore_cache();
        }
        options
    }
}

/// The folders of an image that the group may write to, none of them in another. `workdir` is the working directory if the
/// build creates it: the base image's folders stay as they are.
fn shared_folders<'a>(home: &'a str, workdir: Option<&'a str>) -> Vec<&'a str> {
    let own = [Some(ROOT_PREFIX), Some(home), workdir]
        .into_iter()
        .flatten();
    let own = own.map(|path| path.trim_end_matches('/'));
    let mut found: Vec<&str> = Vec::new();
    for folder in own.filter(|path| !path.is_empty()) {
        if !found.iter().any(|known| is_in(folder, known)) {
            found.retain(|known| !is_in(known, folder));
            found.push(folder);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_folders_are_what_the_build_creates_each_once() {
        let home = "/home/ada";
        let shared = |workdir| shared_folders(home, workdir);
        // The workdir is the base image's, such as /etc.
        assert_eq!(shared(None), [ROOT_PREFIX, home]);
        assert_eq!(shared(Some("/srv/app/")), [ROOT_PREFIX, home, "/srv/app"]);
        for inside in [home, "/home/ada/app", "/opt/conda/work"] {
            assert_eq!(shared(Some(inside)), [ROOT_PREFIX, home], "{inside}");
        }
        assert_eq!(
            shared_folders("/srv/app/home", Some("/srv/app")),
            [ROOT_PREFIX, "/srv/app"]
        );
        assert_eq!(shared_folders("/", None), [ROOT_PREFIX]);
    }
}
