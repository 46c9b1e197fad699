//! File operations as text.

use buildkit_proto::pb;
use pb::file_action::Action;

use super::inputs::InputNames;
use super::writer::{Writer, quoted};

pub(super) fn write(out: &mut Writer, inputs: &InputNames<'_>, file: &pb::FileOp) {
    for (number, action) in file.actions.iter().enumerate() {
        let show = |index: i64| show_input(inputs, index);
        let mut text = format!("a{number} on {}: ", show(action.input));
        let mut secondary = Some(action.secondary_input);
        match &action.action {
            Some(Action::Copy(copy)) => {
                secondary = None;
                let from = show(action.secondary_input);
                text.push_str(&show_copy(inputs, copy, &from));
            }
            Some(Action::Mkfile(mkfile)) => {
                text.push_str(&format!("mkfile {}", quoted(&mkfile.path)));
                text.push_str(&mode(mkfile.mode));
                text.push_str(&owner(inputs, mkfile.owner.as_ref()));
                text.push_str(&time(mkfile.timestamp));
            }
            Some(Action::Mkdir(mkdir)) => {
                text.push_str(&format!("mkdir {}", quoted(&mkdir.path)));
                text.push_str(&mode(mkdir.mode));
                text.push_str(flag(mkdir.make_parents, " parents"));
                text.push_str(&owner(inputs, mkdir.owner.as_ref()));
                text.push_str(&time(mkdir.timestamp));
            }
            Some(Action::Rm(rm)) => {
                text.push_str(&format!("rm {}", quoted(&rm.path)));
                text.push_str(flag(rm.allow_not_found, " allow-not-found"));
                text.push_str(flag(rm.allow_wildcard, " wildcard"));
            }
            Some(Action::Symlink(link)) => {
                let (path, target) = (quoted(&link.newpath), quoted(&link.oldpath));
                text.push_str(&format!("symlink {path} -> {target}"));
                text.push_str(&owner(inputs, link.owner.as_ref()));
                text.push_str(&time(link.timestamp));
            }
            None => text.push_str("unknown action"),
        }
        if let Some(index) = secondary.filter(|index| *index != crate::node::NONE) {
            text.push_str(&format!(" with {}", show(index)));
        }
        if action.output != crate::node::NONE {
            text.push_str(&format!(" => output {}", action.output));
        }
        out.line(format_args!("{text}"));
        if let Some(Action::Mkfile(mkfile)) = &action.action {
            out.content(&mkfile.data);
        }
    }
}

/// An input of the operation, or an earlier action.
fn show_input(inputs: &InputNames<'_>, index: i64) -> String {
    let first_action = i64::try_from(inputs.list.len()).unwrap_or(i64::MAX);
    if index >= first_action {
        format!("a{}", index - first_action)
    } else {
        inputs.name(index)
    }
}

fn show_copy(inputs: &InputNames<'_>, copy: &pb::FileActionCopy, from: &str) -> String {
    let mut text = format!("copy {from} {} {}", quoted(&copy.src), quoted(&copy.dest));
    text.push_str(&mode(copy.mode));
    if !copy.mode_str.is_empty() {
        text.push_str(&format!(" mode {}", quoted(&copy.mode_str)));
    }
    for (set, name) in [
        (copy.follow_symlink, " follow"),
        (copy.dir_copy_contents, " contents"),
        (copy.attempt_unpack_docker_compatibility, " unpack"),
        (copy.create_dest_path, " create-dest"),
        (copy.allow_wildcard, " wildcard"),
        (copy.allow_empty_wildcard, " allow-empty"),
        (copy.always_replace_existing_dest_paths, " always-replace"),
    ] {
        text.push_str(flag(set, name));
    }
    for (name, patterns) in [
        ("include", &copy.include_patterns),
        ("exclude", &copy.exclude_patterns),
        ("require", &copy.required_paths),
    ] {
        for pattern in patterns {
            text.push_str(&format!(" {name} {}", quoted(pattern)));
        }
    }
    text.push_str(&owner(inputs, copy.owner.as_ref()));
    text.push_str(&time(copy.timestamp));
    text
}

fn mode(mode: i32) -> String {
    match u32::try_from(mode) {
        Ok(mode) => format!(" mode 0{mode:o}"),
        Err(_) if mode == -1 => String::new(),
        Err(_) => format!(" mode {mode}"),
    }
}

fn time(nanoseconds: i64) -> String {
    match nanoseconds {
        -1 => String::new(),
        other => format!(" time {other}"),
    }
}

fn flag(set: bool, name: &'static str) -> &'static str {
    if set { name } else { "" }
}

fn owner(inputs: &InputNames<'_>, owner: Option<&pb::ChownOpt>) -> String {
    let account = |account: Option<&pb::UserOpt>| match account.map(|account| &account.user) {
        Some(Some(pb::user_opt::User::ById(id))) => id.to_string(),
        Some(Some(pb::user_opt::User::ByName(named))) => {
            let from = show_input(inputs, named.input);
            format!("{}@{from}", quoted(&named.name))
        }
        Some(None) => "?".to_owned(),
        None => "-".to_owned(),
    };
    owner.map_or_else(String::new, |owner| {
        format!(
            " owner {}:{}",
            account(owner.user.as_ref()),
            account(owner.group.as_ref())
        )
    })
}
