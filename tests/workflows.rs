//! The workflows of the hosted CI run nothing that can change behind their back.

use std::fs;
use std::path::Path;

#[test]
fn actions_are_pinned_by_their_commits() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(".github/workflows");
    let mut found = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        for line in text.lines() {
            let line = line.trim_start().trim_start_matches("- ");
            let Some(action) = line.strip_prefix("uses: ") else {
                continue;
            };
            if action.starts_with("./") {
                continue;
            }
            found += 1;
            // For people, the release follows in a comment.
            let parts = action
                .split_once('@')
                .and_then(|(_, it)| it.split_once(" # v"));
            let (commit, version) = parts.unwrap_or_else(|| panic!("{path:?}: {action}"));
            let is_hash = commit.len() == 40 && commit.bytes().all(|b| b.is_ascii_hexdigit());
            assert!(is_hash && !version.is_empty(), "{path:?}: {action}");
        }
    }
    assert!(found > 2, "{found}");
}
