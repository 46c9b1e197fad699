//! Layers for base images in which a directory is a symbolic link: what a layer has there is moved to the link's target.

use buildkit_llb::{Copy, File, Input, OpOptions as _, Options, Output};

use super::own_files::{directory, folders, timed};
use condafront_model::stamp;
use condafront_step_spec::account::LinkedDirectory;

/// `layer` with everything below one of the `links` moved to the link's target. It must have the parents of a link.
pub(crate) fn relocate(layer: &Output, links: &[LinkedDirectory], options: &Options) -> Input {
    let inside: Vec<String> = links
        .iter()
        .map(|link| format!("{}/.", link.target))
        .collect();
    let mut targets = File::on(Input::Scratch);
    for folder in folders(inside.iter().map(String::as_str)) {
        targets.then(directory(folder, stamp::Owner::ROOT));
    }
    targets.options(options);
    let targets = timed(targets.build(), options);

    let mut moved = File::on(Input::Scratch);
    moved
        .then(
            Copy::new(layer, "/", "/")
                .contents()
                .exclude(links.iter().filter_map(|link| below(&link.path, ""))),
        )
        .then(Copy::new(targets.clone(), "/", "/").contents());
    for link in links {
        let deeper = links
            .iter()
            .filter_map(|other| below(&other.path, &link.path));
        moved.then(
            Copy::new(layer, optional(&link.path), &link.target)
                .contents()
                .optional_wildcard()
                .exclude(deeper),
        );
    }
    // Copying into the targets has changed their times.
    moved.then(Copy::new(targets, "/", "/").contents());
    moved.options(options).build()
}

/// `path` relative to the directory `dir`, if it is below it.
fn below<'a>(path: &'a str, dir: &str) -> Option<&'a str> {
    path.strip_prefix(dir)?.strip_prefix('/')
}

/// A pattern that matches `path` alone. Only a pattern may match nothing.
fn optional(path: &str) -> String {
    match path.char_indices().next_back() {
        Some((at, last)) => format!("{}[{last}]", &path[..at]),
        None => path.to_owned(),
    }
}
