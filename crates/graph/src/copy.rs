//! Copies files into the image, with the semantics of a Dockerfile's `COPY`
//! (<https://docs.docker.com/reference/dockerfile/#copy>).

use buildkit_llb::{Copy, File, Input, Mkdir, OpOptions, Options, Output, Owner};

use crate::cache_key::depend_on;
use crate::context::ContextState;
use crate::own_files::shared_directory;
use condafront_input::section::{CopyFiles, Mode};
use condafront_model::image_path::absolute;
use condafront_model::redact::quoted;
use condafront_model::stamp::{self, Ownership};

/// The group may do what the owner may (chmod(1)).
const AS_OWNER: &str = "g=u";
/// The name in the root of what [`CopyStep::look`] makes.
pub const LOOKED_AT: &str = "found";

/// Where files come from.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The file system.
    pub state: Output,
    /// The folder in it that paths are relative to; empty for the root.
    pub folder: String,
}

impl Origin {
    /// The build context.
    pub fn of_context(context: ContextState) -> Self {
        if context.exclude.is_empty() {
            return Self {
                state: context.state,
                folder: context.subdir,
            };
        }
        let folder = format!("/{}", context.subdir);
        let mut file = File::on(Input::Scratch);
        file.then(
            Copy::new(&context.state, folder, "/")
                .contents()
                .exclude(context.exclude),
        )
        .name("[internal] apply .dockerignore")
        .export_cache(false);
        Self {
            state: file.build().output().unwrap_or(&context.state).clone(),
            folder: String::new(),
        }
    }
}

/// One copy.
#[derive(Clone, Debug)]
pub struct CopyStep<'a> {
    /// The copy in the user's file.
    pub files: &'a CopyFiles,
    /// Where the files come from.
    pub origin: Origin,
    /// The absolute path to copy to, from [`destination`].
    pub dest: String,
    /// Who owns them.
    pub owner: (u32, u32),
    /// The existing folder above the destination where the group may do what the owner may, as far as the user's file does
    /// not say otherwise.
    pub shared: Option<&'a str>,
    /// Whether the destination becomes a folder if the image lacks it.
    pub makes_folder: bool,
}

impl CopyStep<'_> {
    /// Its name in the progress and the image's history.
    pub fn name(&self) -> String {
        /// More sources than this would hide where they go.
        const MOST: usize = 3;
        let sources = &self.files.sources;
        let shown: Vec<String> = sources.iter().take(MOST).map(|path| quoted(path)).collect();
        let mut name = format!("[copy] {}", shown.join(", "));
        if let Some(more) = sources.len().checked_sub(MOST).filter(|more| *more > 0) {
            name.push_str(&format!(" and {more} more"));
        }
        if let Some(from) = &self.files.from {
            name.push_str(&format!(" from {}", quoted(from)));
        }
        format!("{name} to {}", quoted(&self.dest))
    }

    /// The image with the files. It depends on `facts`, which were gathered for it, but contains none of them.
    pub fn on(&self, root: &Input, facts: &[Output], options: &Options) -> Input {
        let mut file = File::on(root.clone());
        file.options(options);
        depend_on(&mut file, facts);
        let (uid, gid) = self.owner;
        let folder = self.dest.rsplit_once('/').map_or("", |(folder, _)| folder);
        if let Some(shared) = self.shared {
            let ownership = Ownership {
                owner: stamp::Owner { uid, gid },
                group_writable: true,
            };
            let ends = self.dest.match_indices('/');
            let ends = ends.map(|(end, _)| end).filter(|end| *end > shared.len());
            // A copy gives rights to what is in a folder, and not to the folder.
            let own = Some(self.dest.len()).filter(|_| self.makes_folder);
            for end in ends.chain(own) {
                file.then(shared_directory(&self.dest[..end], ownership));
            }
        } else if matches!(self.files.chmod, Some(Mode::Bits(_))) && !folder.is_empty() {
            // The bits are for the copied files, but BuildKit also gives them to directories that it creates for them.
            file.then(Mkdir::new(folder).parents().owner(Owner::ids(uid, gid)));
        }
        for source in &self.files.sources {
            file.then(self.copy_with_rights(source, &self.dest));
        }
        file.build()
    }

    /// A file system in which [`LOOKED_AT`] is what the destination becomes if the image lacks it. None if it does not
    /// matter.
    pub fn look(&self) -> Option<Input> {
        let is_open = self.shared.is_some() && self.files.chmod.is_none();
        let [source] = self.files.sources.as_slice() else {
            return None;
        };
        if !is_open || self.dest.ends_with('/') {
            return None;
        }
        let mut copy = self.copy(source, &format!("/{LOOKED_AT}"));
        copy.wildcard().exclude(["**"]);
        let mut file = File::on(Input::Scratch);
        file.then(copy)
            .name(format!(
                "[copy] check whether {} is a folder",
                quoted(source)
            ))
            .export_cache(false);
        Some(file.build())
    }

    fn copy_with_rights(&self, source: &str, dest: &str) -> Copy {
        let (uid, gid) = self.owner;
        let mut copy = self.copy(source, dest);
        copy.owner(Owner::ids(uid, gid));
        match &self.files.chmod {
            Some(Mode::Bits(bits)) => copy.mode(*bits),
            Some(Mode::Symbolic(text)) => copy.symbolic_mode(text),
            None if self.shared.is_some() => copy.symbolic_mode(AS_OWNER),
            None => &mut copy,
        };
        // A pattern among other sources may match nothing: `pyproject.toml` and `*.lock`.
        match self.files.sources.len() {
            1 => copy.wildcard(),
            _ => copy.optional_wildcard(),
        };
        copy
    }

    /// Fails unless there is something to copy at `source` in `origin`.
    pub fn probe(&self, source: &str, origin: &Origin) -> Input {
        let of = Self {
            origin: origin.clone(),
            ..self.clone()
        };
        let mut file = File::on(Input::Scratch);
        file.then(of.copy(source, "/found/").wildcard())
            .name(format!("[copy] look for {}", quoted(source)))
            .export_cache(false);
        file.build()
    }

    /// Copies the contents of a folder rather than the folder, and follows a link.
    fn copy(&self, source: &str, dest: &str) -> Copy {
        let source = format!("{}/{source}", self.origin.folder);
        let mut copy = Copy::new(&self.origin.state, source, dest);
        copy.follow_symlink().contents().create_dest_path();
        copy
    }
}

/// Where `dest` is in an image with this working directory; ends with a slash if it must be a directory.
pub fn destination(workdir: &str, dest: &str) -> String {
    let path = absolute(workdir, dest);
    if CopyFiles::is_folder(dest) && path != "/" {
        format!("{path}/")
    } else {
        path
    }
}

/// Whether a source is a pattern, which may match several files or none.
pub fn is_pattern(source: &str) -> bool {
    source.contains(['*', '?', '['])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn destinations_are_below_the_working_directory() {
        for (dest, expected) in [
            ("app", "/srv/app"),
            ("app/", "/srv/app/"),
            (".", "/srv/"),
            ("./", "/srv/"),
            ("..", "/"),
            ("/", "/"),
            ("/a/../b//c", "/b/c"),
            ("/data/.", "/data/"),
        ] {
            assert_eq!(destination("/srv", dest), expected, "{dest}");
        }
    }
}
