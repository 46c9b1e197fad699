//! Lines of our own in a build's progress.

use buildkit_llb::{Definition, File, Input, Mkfile, OpOptions};

/// A graph whose only operation has `text` for a name, so that building it shows the text.
pub(super) fn notice(text: &str) -> Definition {
    let mut file = File::on(Input::Scratch);
    file.then(Mkfile::new("/notice", text))
        .name(text)
        .ignore_cache()
        .export_cache(false);
    file.build()
        .output()
        .map(Definition::of)
        .unwrap_or_default()
}
