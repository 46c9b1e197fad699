//! What the image section's files and commands have in common.

use super::session::Session;

use buildkit_llb::{OpOptions, Options, Output, Range, SourceFile as LlbFile};

use crate::image::config::ImageConfig;
use crate::image::section;
use condafront_input::section::ImageSection;
use condafront_model::environment_prefix::ROOT_PREFIX;
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
    /// The frontend's own programs.
    pub(super) programs: &'a Output,
}

impl Additions<'_> {
    /// Where the group of the image's user may write to what is copied and to what commands leave.
    pub(super) fn shared_folders(&self) -> Vec<&str> {
        if !self.user.group_writable {
            return Vec::new();
        }
        let workdir = section::working_dir(self.config);
        let own = [ROOT_PREFIX, &self.user.home, workdir].into_iter();
        let own = own.map(|path| path.trim_end_matches('/'));
        own.filter(|path| !path.is_empty()).collect()
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
