//! PyPI packages of the user's folders in a pixi.lock.

use super::*;
use crate::environment_input::LockedPip;

fn local(name: &str, path: &str, is_folder: bool) -> LocalPypi {
    LocalPypi {
        name: name.to_owned(),
        version: "1.0".to_owned(),
        path: path.to_owned(),
        is_folder,
        requires_dist: ["idna>=3", "rich >= 13; extra == \"color\""]
            .map(str::to_owned)
            .to_vec(),
        requires_python: Some(">=3.11".to_owned()),
    }
}

#[test]
fn packages_of_folders_are_written_by_their_paths() {
    let found = |platform| Found {
        local: vec![
            local("demo", ".", true),
            local("tool", "libs/tool", true),
            local("shared", "../shared", true),
            local("carried", "carried-1.0-py3-none-any.whl", false),
        ],
        ..Found::of(platform)
    };
    let both = [found(Platform::LinuxAmd64), found(Platform::LinuxArm64)];
    let text = written(pixi_lock, &both, None);
    let (_, described) = text.split_once("- pypi: ../shared\n  name").unwrap();
    let (described, _) = described.split_once("- pypi: https://").unwrap();
    insta::assert_snapshot!(described);
    for one in &both {
        let input = read_back("pixi.lock", &text, one.platform);
        let Pip::Locked(LockedPip { local, needs, .. }) = &input.pip else {
            panic!("not locked");
        };
        let mut paths: Vec<&str> = local.iter().map(|one| one.path.as_str()).collect();
        paths.sort_unstable();
        let expected = ["", "../shared", "carried-1.0-py3-none-any.whl", "libs/tool"];
        assert_eq!(paths, expected);
        assert_eq!(needs["demo"], ["idna>=3", "rich>=13 ; extra == 'color'"]);
    }
    // The same packages give the same text.
    let old = SourceFile::new("pixi.lock", text.as_str());
    assert_eq!(written(pixi_lock, &both[..1], Some(&old)), text);
}
