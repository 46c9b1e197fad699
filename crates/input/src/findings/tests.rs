use super::*;
use crate::file_path::FilePath;
use crate::requirements::Reading;
use crate::section::args::BuildArgs;
use crate::{InputSettings, LockedPip, Pip, read};
use condafront_model::platform::Platform;

const HASH: &str = "d7c89558ba9fa0495403155b64376d81";

/// What is found in a file, as text.
fn found(text: &str) -> String {
    let file = SourceFile::new("env.yml", text);
    let input = read(&file, Platform::LinuxAmd64, &InputSettings::default()).unwrap();
    let args = BuildArgs::default();
    let mut reading = Reading::new(&args);
    let mut pip = PypiPackages::default();
    match &input.pip {
        Pip::Unsolved(list) => reading.add(list, FilePath::build_file()),
        Pip::Locked(LockedPip { files, .. }) => pip.locked.clone_from(files),
    }
    assert_eq!(reading.next_file(), Ok(None));
    pip.list = reading.finish();
    let mut all = of_environment(&input, &pip, &file);
    // As if a solve had found them.
    all.extend(without_cuda(input.locked().unwrap_or_default(), &file));
    let torch = BTreeSet::from(["torch".to_owned(), "foo-bar".to_owned()]);
    let conda = [("pytorch", &torch), ("graphviz", &BTreeSet::new())];
    all.extend(duplicates(&pip, &file, conda));
    let shown = all.iter().map(|warning| {
        let line = warning.diagnostic.locations[0].lines.first;
        format!(
            "{} at line {line}: {}\n",
            warning.rule.name(),
            warning.diagnostic
        )
    });
    shown.collect()
}

#[test]
fn everything_is_found_at_its_line() {
    let package = |name: &str, hash: &str| {
        format!("https://conda.example/forge/noarch/{name}-1-0.conda#{hash}\n")
    };
    let sha256 = HASH.repeat(2);
    let lock = |hashes: &[&str]| -> String {
        let names = ["a", "b", "c"];
        let packages = names.iter().zip(hashes);
        let lines = packages.map(|(name, hash)| package(name, hash));
        format!("@EXPLICIT\n{}", lines.collect::<String>())
    };
    let solved = |files: &[&str]| -> String {
        let lines = files
            .iter()
            .map(|file| format!("https://conda.example/forge/linux-64/{file}.conda#{sha256}\n"));
        format!("@EXPLICIT\n{}", lines.collect::<String>())
    };
    let env = |dependencies: &str| format!("channels: [c]\ndependencies:\n{dependencies}");
    let mut shown = String::new();
    for text in [
        lock(&[&sha256, &sha256]),
        lock(&[&sha256, HASH]),
        lock(&[HASH, &sha256, HASH]),
        lock(&[HASH, HASH, HASH]),
        env("  - python\n"),
        env("  - c::python\n  - numpy\n"),
        env("  - python >=3.12\n  - python-dateutil\n"),
        env(
            "  - python=3.13\n  - pytorch\n  - graphviz\n  - pip:\n    - Foo_Bar>=1\n    - graphviz\n    - torch\n    - torch; python_version < '3'\n",
        ),
        env("  - numpy\n"),
        env("  - python\n  - python=3.12\n"),
        env("  - python=*\n"),
        solved(&["numpy-2-0", "pytorch-gpu-2-0"]),
        solved(&["numpy-2-0", "pytorch-2-cuda126_py312_0"]),
        solved(&["cuda-version-12.8-0"]),
        solved(&["pytorch-2-py3.12_cuda12.1_0", "pytorch-cuda-12.1-0"]),
        solved(&["magma-2-nogpu_0", "faiss-1-no_cuda_0"]),
    ] {
        shown.push_str(&format!("{text}=> {}\n", found(&text)));
    }
    insta::assert_snapshot!(shown);
}
