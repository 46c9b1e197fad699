//! What build-args and the image section choose together: a build-arg overrides the section.

use std::collections::BTreeSet;

use crate::options::settings::Settings;
use condafront_input::section::{ImageSection, Located};
use condafront_model::layers::Layers;
use condafront_model::source::Lines;
use condafront_model::stamp::{Owner, Ownership};
use condafront_step_spec::account::{DEFAULT_ID, SHARED_GID, UserRequest};
use condafront_step_spec::install::Installer;
use condafront_step_spec::install::Trim;

/// The default base image.
const DEFAULT_BASE: &str = "debian:13-slim";

/// A choice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice<T> {
    /// What was chosen.
    pub value: T,
    /// Its lines in the build file, if it is from there.
    pub lines: Option<Lines>,
}

/// What was chosen, with defaults for the rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choices {
    /// The base image: a reference, `scratch`, or a named context.
    pub base: Choice<String>,
    /// The account that the image runs as; defaults are those of micromamba-docker.
    pub user: Choice<UserRequest>,
    /// How many layers packages are spread over; `None` lets it depend on what the engine can do.
    pub layers: Choice<Option<Layers>>,
    /// What installs packages.
    pub installer: Installer,
    /// What to leave out of packages.
    pub trim: BTreeSet<Trim>,
}

impl Choices {
    /// Build-args first, then the section.
    pub fn new(settings: &Settings, section: &ImageSection) -> Self {
        let base = choice(settings.base.clone(), section.base.as_ref());
        let layers = choice(settings.layers, section.layers.as_ref());
        let installer = choice(settings.installer, section.installer.as_ref());
        Self {
            base: Choice {
                value: base.value.unwrap_or_else(|| DEFAULT_BASE.to_owned()),
                lines: base.lines,
            },
            user: user(&settings.user, section),
            layers,
            installer: installer.value.unwrap_or(Installer::Micromamba),
            trim: section.trim.clone(),
        }
    }

    /// The likely owner of the environments. If the base image has an account of that name, only the base knows its
    /// ids.
    pub fn ownership(&self) -> Ownership {
        let user = &self.user.value;
        let by_name = match user.name.as_deref() {
            Some("root") => 0,
            _ => number(user).unwrap_or(DEFAULT_ID),
        };
        let uid = user.uid.unwrap_or(by_name);
        Ownership {
            owner: Owner {
                uid,
                gid: user.gid.unwrap_or(uid),
            },
            group_writable: user.group_writable,
        }
    }
}

fn choice<T: Clone>(arg: Option<T>, section: Option<&Located<T>>) -> Choice<Option<T>> {
    match (arg, section) {
        (None, Some(said)) => Choice {
            value: Some(said.value.clone()),
            lines: Some(said.lines),
        },
        (value, _) => Choice { value, lines: None },
    }
}

/// Each of the three parts is chosen separately.
fn user(args: &UserRequest, section: &ImageSection) -> Choice<UserRequest> {
    let group_writable = section.group_writable.as_ref();
    let group_writable = group_writable.is_some_and(|asked| asked.value);
    let Some(Located { value: said, lines }) = &section.user else {
        return Choice {
            value: UserRequest {
                group_writable,
                gid: args.gid.or(group_writable.then_some(SHARED_GID)),
                ..args.clone()
            },
            lines: None,
        };
    };
    // A number in place of the name is a uid, and an explicit uid overrides it.
    let uid = number(said);
    let name = said.name.clone();
    let name = name.filter(|_| uid.is_none() || args.uid.is_none());
    let value = UserRequest {
        uid: args
            .uid
            .or(said.uid)
            .or(uid.filter(|_| args.name.is_some())),
        name: args.name.clone().or(name),
        gid: args
            .gid
            .or(said.gid)
            .or(group_writable.then_some(SHARED_GID)),
        group_writable,
    };
    Choice {
        lines: (value != *args).then_some(*lines),
        value,
    }
}

/// The uid that is given in place of the name.
fn number(user: &UserRequest) -> Option<u32> {
    user.name.as_deref()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn located<T>(value: T) -> Located<T> {
        Located {
            value,
            lines: Lines::one(7),
        }
    }

    fn settings(args: &[(&str, &str)]) -> Settings {
        Settings::from_build_args(args.iter().copied()).unwrap()
    }

    fn request(name: Option<&str>, uid: Option<u32>, gid: Option<u32>) -> UserRequest {
        UserRequest {
            name: name.map(str::to_owned),
            uid,
            gid,
            group_writable: false,
        }
    }

    #[test]
    fn build_args_override_the_section_and_the_section_overrides_the_defaults() {
        let section = ImageSection {
            base: Some(located("ubuntu:24.04".to_owned())),
            layers: Some(located(Layers::AtMost(3))),
            installer: Some(located(Installer::Native)),
            ..ImageSection::default()
        };
        let choices = Choices::new(&settings(&[]), &section);
        assert_eq!(choices.base.value, "ubuntu:24.04");
        assert_eq!(choices.base.lines, Some(Lines::one(7)));
        assert_eq!(choices.layers.value, Some(Layers::AtMost(3)));
        assert_eq!(choices.installer, Installer::Native);
        let args = settings(&[
            ("BASE_IMAGE", "scratch"),
            ("CONDAFRONT_LAYERS", "5"),
            ("CONDAFRONT_INSTALLER", "micromamba"),
        ]);
        let choices = Choices::new(&args, &section);
        assert_eq!(choices.base.value, "scratch");
        assert_eq!(choices.base.lines, None);
        assert_eq!(choices.layers.value, Some(Layers::AtMost(5)));
        assert_eq!(choices.installer, Installer::Micromamba);
        let choices = Choices::new(&settings(&[]), &ImageSection::default());
        assert_eq!(choices.base.value, DEFAULT_BASE);
        assert_eq!(choices.layers.value, None);
        assert_eq!(choices.installer, Installer::Micromamba);
    }

    #[test]
    fn each_part_of_the_account_is_chosen_separately() {
        let ada = request(Some("ada"), Some(1000), Some(100));
        let number = request(Some("1000"), None, Some(100));
        type Args = &'static [(&'static str, &'static str)];
        let cases: [(&UserRequest, Args, UserRequest, (u32, u32)); 6] = [
            (&ada, &[], ada.clone(), (1000, 100)),
            (
                &ada,
                &[("MAMBA_USER", "bob")],
                request(Some("bob"), Some(1000), Some(100)),
                (1000, 100),
            ),
            (
                &ada,
                &[("MAMBA_USER_ID", "5"), ("MAMBA_USER_GID", "6")],
                request(Some("ada"), Some(5), Some(6)),
                (5, 6),
            ),
            (&number, &[], number.clone(), (1000, 100)),
            (
                &number,
                &[("MAMBA_USER", "bob")],
                request(Some("bob"), Some(1000), Some(100)),
                (1000, 100),
            ),
            (
                &number,
                &[("MAMBA_USER_ID", "5")],
                request(None, Some(5), Some(100)),
                (5, 100),
            ),
        ];
        for (said, args, expected, (uid, gid)) in cases {
            let section = ImageSection {
                user: Some(located(said.clone())),
                ..ImageSection::default()
            };
            let choices = Choices::new(&settings(args), &section);
            assert_eq!(choices.user.value, expected, "{args:?}");
            assert_eq!(choices.ownership(), Owner { uid, gid }.into(), "{args:?}");
        }
    }

    #[test]
    fn a_group_that_may_write_is_root_unless_another_is_chosen() {
        let chosen = |user: Option<UserRequest>, args: &[(&str, &str)]| {
            let section = ImageSection {
                user: user.map(located),
                group_writable: Some(located(true)),
                ..ImageSection::default()
            };
            let choices = Choices::new(&settings(args), &section);
            let ownership = choices.ownership();
            assert!(ownership.group_writable);
            assert!(choices.user.value.group_writable);
            (ownership.owner.uid, ownership.owner.gid)
        };
        let ada = request(Some("ada"), Some(1000), None);
        assert_eq!(chosen(None, &[]), (DEFAULT_ID, 0));
        assert_eq!(chosen(Some(ada.clone()), &[]), (1000, 0));
        let users = request(Some("ada"), Some(1000), Some(100));
        assert_eq!(chosen(Some(users), &[]), (1000, 100));
        assert_eq!(chosen(Some(ada), &[("MAMBA_USER_GID", "5")]), (1000, 5));
    }
}
