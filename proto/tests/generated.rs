//! The committed code in `src/generated` matches the `.proto` files.
//!
//! After changing a `.proto` file, run
//! `UPDATE_GENERATED=1 cargo test -p buildkit-proto --test generated`.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::Path;

type Files = BTreeMap<String, String>;

/// Runs the generator on every file of `proto/`.
fn generate(root: &Path) -> Result<Files, Box<dyn Error>> {
    let protos = root.join("proto");
    let mut sources = Vec::new();
    for entry in fs::read_dir(&protos)? {
        sources.push(entry?.path());
    }
    sources.sort();
    let set = protox::compile(&sources, [&protos])?;
    let out = tempfile::tempdir()?;
    tonic_prost_build::configure()
        .btree_map(".")
        .build_server(false)
        .out_dir(out.path())
        .compile_fds(set)?;
    read(out.path())
}

fn read(dir: &Path) -> Result<Files, Box<dyn Error>> {
    let mut files = Files::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        files.insert(name, fs::read_to_string(entry.path())?);
    }
    Ok(files)
}

#[test]
fn committed_code_is_up_to_date() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let committed = root.join("src/generated");
    let fresh = generate(root)?;
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        fs::remove_dir_all(&committed)?;
        fs::create_dir(&committed)?;
        for (name, text) in &fresh {
            fs::write(committed.join(name), text)?;
        }
    }
    let stored = read(&committed)?;
    assert_eq!(
        stored.keys().collect::<Vec<_>>(),
        fresh.keys().collect::<Vec<_>>(),
        "the set of files differs; run with UPDATE_GENERATED=1"
    );
    for (name, text) in &fresh {
        assert!(
            stored.get(name) == Some(text),
            "src/generated/{name} is out of date; run with UPDATE_GENERATED=1"
        );
    }
    Ok(())
}
