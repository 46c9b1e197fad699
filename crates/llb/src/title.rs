//! Titles of operations without a name.

use buildkit_proto::pb;
use pb::file_action::Action;
use pb::op::Op;

/// One line that says what an operation does, similar to what the daemon shows.
pub(crate) fn title(op: &pb::Op) -> String {
    match &op.op {
        Some(Op::Source(source)) => source.identifier.clone(),
        Some(Op::Exec(exec)) => exec
            .meta
            .as_ref()
            .map_or_else(|| "exec".to_owned(), |meta| meta.args.join(" ")),
        Some(Op::File(file)) => {
            let actions: Vec<String> = file.actions.iter().map(action).collect();
            actions.join(", ")
        }
        Some(Op::Merge(merge)) => format!("merge {} filesystems", merge.inputs.len()),
        Some(Op::Diff(_)) => "diff".to_owned(),
        None => "unknown operation".to_owned(),
    }
}

fn action(action: &pb::FileAction) -> String {
    match &action.action {
        Some(Action::Copy(copy)) => format!("copy {} {}", copy.src, copy.dest),
        Some(Action::Mkfile(mkfile)) => format!("mkfile {}", mkfile.path),
        Some(Action::Mkdir(mkdir)) => format!("mkdir {}", mkdir.path),
        Some(Action::Rm(rm)) => format!("rm {}", rm.path),
        Some(Action::Symlink(link)) => format!("symlink {} -> {}", link.newpath, link.oldpath),
        None => "unknown action".to_owned(),
    }
}
