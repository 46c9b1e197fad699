//! The readers of this crate as functions of bytes, for `tests/fuzz`.

use condafront_input::section::ImageSection;
use condafront_model::platform::Platform;
use condafront_model::source::SourceFile;

use crate::context::ignore;
use crate::image::config::ImageConfig;
use crate::image::limits::Sources;

/// Reads a `.dockerignore`.
///
/// # Panics
/// If a pattern is not one that BuildKit's client takes.
pub fn dockerignore(data: &[u8]) {
    for pattern in ignore::parse(data) {
        let pattern = pattern.strip_prefix('!').unwrap_or(&pattern);
        assert!(
            !pattern.starts_with('/') && !pattern.contains('\n'),
            "{pattern}"
        );
    }
}

/// Reads a base image's configuration, and makes an image's configuration of it.
///
/// # Panics
/// If that is not valid, or loses a variable.
pub fn base_config(data: &[u8]) {
    let platform = Platform::LinuxAmd64;
    let Ok(base) = ImageConfig::from_base(data, platform) else {
        return;
    };
    let mut config = base.clone();
    let env = config.env();
    config.set_env(&env);
    config.set_user(1000, 1000);
    config.set_entrypoint(&["/entrypoint"]);
    config.add_labels([("a", "b")].into_iter());
    config.add_history(&["a layer".to_owned()]);
    let again = ImageConfig::from_base(&config.to_json(), platform).expect("it is valid");
    assert_eq!(again.env(), env);
    assert_eq!(again.platform(), base.platform());
    let sources = Sources {
        file: &SourceFile::new("env.yml", "dependencies: []\n"),
        section: &ImageSection::default(),
        base: &base,
        base_lines: None,
    };
    if let Err(error) = sources.check(&config) {
        drop(error.to_string());
    }
}
