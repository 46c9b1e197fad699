//! What an environment expects of the machines that it runs on.

use std::str::FromStr as _;

use rattler_conda_types::Version;

use crate::environment_input::SolveRequest;

/// The version of CUDA that the environment expects.
pub(super) fn expected_cuda(asked: &SolveRequest) -> Option<Version> {
    asked.specs.iter().find_map(|one| {
        let least = one.spec.strip_prefix("__cuda >=")?;
        Version::from_str(least).ok()
    })
}
