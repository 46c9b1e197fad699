//! The files that `-f` accepts. Their content decides which kind they are; each kind becomes a list of packages.

mod activation_variables;
mod address_variables;
pub mod build_packages;
mod build_source;
mod categories;
mod channel_settings;
mod channels;
mod check_directive;
mod conda_lock;
mod context_path;
mod dependency_list;
mod env;
mod environment_input;
mod exclude_newer;
mod explicit;
pub mod explicit_lock;
pub mod file_path;
pub mod findings;
#[doc(hidden)]
pub mod fuzzing;
mod json;
mod leftover;
mod lock_terms;
mod locked;
mod logical_lines;
mod logins;
mod look_alike;
mod manifest;
mod marker;
mod match_spec;
mod mistake;
pub mod options;
pub mod own_lock;
pub mod pip_reading;
mod pip_requirement;
mod pixi_lock;
mod place;
mod platform_name;
pub mod pylock;
pub mod pypi;
mod python_files;
mod read;
pub mod requirements;
mod reserved;
mod secret_variable;
pub mod section;
mod selector;
mod settings;
pub mod specs;
pub mod syntax_line;
mod toml;
mod toml_words;
mod unknown;
mod version_range;
pub mod written_lock;
mod yaml;

pub use activation_variables::{ActivationValues, ActivationVariables};
pub use address_variables::{AddressError, filled, has_credentials, login_names};
pub use build_source::BuildSource;
pub use categories::KnownCategories;
pub use check_directive::check_options;
pub use environment_input::{
    Beside, Categories, Conda, DeclaredPlatform, DeclaredSystem, EnvironmentInput, LocalPip,
    LockedPip, Machine, Pip, PypiIndexes, RepositoryPip, RequestedSpec, SolveRequest,
};
pub use lock_terms::{
    Asked, CutoffTerm, LockTerms, OptionKind, OptionTerm, Places, ProjectTerms, PypiTerms, Selected,
};
pub use locked::skip::{check_skips, or_skip};
pub use logins::Logins;
pub use pip_requirement::PipRequirement;
pub use read::{BuildInput, image_file, read, read_build_source};
pub use settings::{ChannelDefaults, InputSettings, invalid, parsed};
pub use toml_words::{as_written, warnings_as_written};
