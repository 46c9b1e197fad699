//! The files that keep an image's environment active in shells and let the entrypoint switch to
//! another one.

use condafront_entrypoint::activation::Variables;
use condafront_entrypoint::store::{
    DEFAULT_FILE, DIR, ENVS_DIR, PLAIN_FILE, RECORD_FILE, encode_variables,
};

use super::image::Activation;
use super::shell_files::{
    ACTIVATE_FILE, DEACTIVATE_FILE, activate_script, deactivate_script, dispatcher,
};
use condafront_step_spec::activation::{PROFILE_DIR, RuntimeFile};

/// The shell code that sources the activation script, for a bashrc or a profile.
pub(crate) fn hook() -> String {
    let script = format!("{DIR}/{ACTIVATE_FILE}");
    format!("if [ -r {script} ]; then . {script}; fi\n")
}

/// All runtime files of an image with these environments, sorted by path.
///
/// `default` names the environment that the image config activates. Environment names must be single
/// path components other than `.` and `..`.
pub fn runtime_files(default: &str, activations: &[Activation]) -> Vec<RuntimeFile> {
    let mut plain = Variables::new();
    let mut files = vec![
        file(
            format!("{DIR}/{DEFAULT_FILE}"),
            format!("{default}\n").into_bytes(),
        ),
        file(format!("{DIR}/{ACTIVATE_FILE}"), dispatcher(default)),
        file(format!("{PROFILE_DIR}/condafront.sh"), hook().into_bytes()),
        RuntimeFile {
            path: "/usr/local/bin/_activate_current_env.sh".to_owned(),
            mode: 0o755,
            contents: hook().into_bytes(),
        },
    ];
    for activation in activations {
        plain.extend(activation.plain.clone());
        let dir = format!("{DIR}/{ENVS_DIR}/{}", activation.name);
        files.extend([
            file(format!("{dir}/{RECORD_FILE}"), activation.record.encode()),
            file(
                format!("{dir}/{ACTIVATE_FILE}"),
                activate_script(activation),
            ),
            file(
                format!("{dir}/{DEACTIVATE_FILE}"),
                deactivate_script(activation),
            ),
        ]);
    }
    files.push(file(
        format!("{DIR}/{PLAIN_FILE}"),
        encode_variables(&plain),
    ));
    files.sort_by(|one, other| one.path.cmp(&other.path));
    files
}

fn file(path: String, contents: Vec<u8>) -> RuntimeFile {
    RuntimeFile {
        path,
        mode: 0o644,
        contents,
    }
}
