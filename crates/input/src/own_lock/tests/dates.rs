use super::*;

/// A pixi.lock says when its packages were built.
#[test]
fn packages_of_a_pixi_lock_must_not_be_newer_than_the_file_allows() {
    const TOO_NEW: &str = "`pixi.lock` has numpy 2.1.0 of 2026-11-12, which is newer than";
    let url = "https://conda.anaconda.org/conda-forge/linux-64/numpy-2.1.0-py312h1_3.conda";
    let sha256 = "0".repeat(64);
    let lock = SourceFile::new(
        "pixi.lock",
        format!(
            "version: 6\nenvironments:\n  default:\n    channels: [{{url: https://conda.anaconda.org/conda-forge/}}]\n    packages:\n      linux-64: [{{conda: {url}}}]\npackages:\n- conda: {url}\n  sha256: {sha256}\n  timestamp: 1794500000000\n"
        ),
    );
    let checked = |exclude_newer: &str, args: &[(&str, &str)]| {
        let mut settings = InputSettings::default();
        for (name, value) in args {
            settings.set(name, value).unwrap();
        }
        let env = format!(
            "channels: [conda-forge]\ndependencies: [numpy]\ncondafront:\n  lock: pixi.lock\n{exclude_newer}"
        );
        let file = SourceFile::new("env.yml", env);
        let input = read::read(&file, Platform::LinuxAmd64, &settings).unwrap();
        let own = OwnLock::of(&file, &input, Platform::LinuxAmd64).unwrap();
        let found = own.read(&lock, &settings).unwrap();
        let installed = own.installed(input, found, &lock, &Surroundings::example(&settings, None));
        installed.map(drop).map_err(|error| {
            let help = error.help.as_deref().unwrap_or_default();
            assert!(help.starts_with("Write the lock again with"), "{error}");
            let message = error
                .message
                .strip_prefix(TOO_NEW)
                .unwrap_or(&error.message);
            let line = error.locations.first().map_or(0, |at| at.lines.first);
            format!("{line}:{message}")
        })
    };
    let at_its_line = Err("5: this line allows".to_owned());
    for (exclude_newer, expected) in [
        ("", Ok(())),
        ("  exclude_newer: 2026-11-12\n", Ok(())),
        ("  exclude_newer: 2026-11-11\n", at_its_line.clone()),
        // The build is on 1 December.
        ("  exclude_newer: 2w\n", Ok(())),
        ("  exclude_newer: 3w\n", at_its_line.clone()),
        (
            "  exclude_newer: {cutoff: 2026-11-01, channels: {conda-forge: false}}\n",
            Ok(()),
        ),
        (
            "  exclude_newer: {cutoff: 2026-12-01, channels: {conda-forge: 2026-11-01}}\n",
            at_its_line.clone(),
        ),
        (
            "  exclude_newer: {cutoff: 2026-11-01, packages: {numpy >=2: false}}\n",
            Ok(()),
        ),
        (
            "  exclude_newer: {cutoff: 2026-11-01, packages: {numpy: 2026-11-12}}\n",
            Ok(()),
        ),
        (
            "  exclude_newer: {cutoff: 2026-11-01, packages: {numpy: 2026-11-10, scipy: false}}\n",
            at_its_line.clone(),
        ),
    ] {
        assert_eq!(checked(exclude_newer, &[]), expected, "{exclude_newer}");
    }
    let day = [("CONDA_EXCLUDE_NEWER", "2026-11-01")];
    let at_the_lock = "4: the build-arg CONDA_EXCLUDE_NEWER allows".to_owned();
    assert_eq!(checked("", &day), Err(at_the_lock));
    let later = [("CONDA_EXCLUDE_NEWER", "2026-11-20")];
    assert_eq!(checked("  exclude_newer: 2026-11-01\n", &later), Ok(()));
}
