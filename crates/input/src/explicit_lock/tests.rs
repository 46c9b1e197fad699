use proptest::prelude::*;
use url::Url;

use super::*;
use crate as input;
use crate::environment_input::{EnvironmentInput, LockedPip, Pip};
use crate::settings::InputSettings;
use condafront_model::environment_prefix::EnvironmentPrefix;
use condafront_model::package::{PackageId, PackageUrl};
use condafront_model::source::{Lines, SourceFile};

fn read(text: &str) -> EnvironmentInput {
    let file = SourceFile::new("conda-linux-64.lock", text);
    input::read(&file, Platform::LinuxAmd64, &InputSettings::default()).unwrap()
}

fn rendered(input: &EnvironmentInput) -> String {
    let Pip::Locked(LockedPip { files: pip, .. }) = &input.pip else {
        panic!("a lock");
    };
    render(&ExplicitLock {
        syntax: None,
        platform: Platform::LinuxAmd64,
        name: input
            .prefix
            .as_ref()
            .map(condafront_model::environment_prefix::EnvironmentPrefix::name),
        variables: &input.variables,
        packages: input.locked().unwrap(),
        pip,
        repositories: &[],
        source: None,
    })
}

fn hash(byte: u8) -> Hashes {
    Hashes {
        sha256: Some(format!("{byte:02x}").repeat(32)),
        md5: None,
    }
}

fn package(name: &str, hashes: Hashes) -> Package {
    let id = PackageId::from_file_name(&format!("{name}-1.0-0.conda")).unwrap();
    let url = format!("https://c.example/conda-forge/noarch/{}", id.file_name());
    Package {
        id,
        subdir: "noarch".to_owned(),
        url: PackageUrl::new(Url::parse(&url).unwrap()),
        hashes,
        size: None,
        lines: Lines::one(1),
    }
}

#[test]
fn a_lock_says_all_that_a_build_needs_and_no_secret() {
    let mut large = package("python", hash(1));
    large.size = Some(31_415_926);
    let mut secret = package("numpy", hash(2));
    let url =
        "https://me:hunter2@c.example/t/tk-1/private/linux-64/numpy-2.1.0-py312_0.conda?sig=abc";
    secret.url = PackageUrl::new(Url::parse(url).unwrap());
    let old = package(
        "six",
        Hashes {
            md5: Some("d7c89558ba9fa0495403155b64376d81".to_owned()),
            sha256: None,
        },
    );
    let wheel = PipPackage {
        name: "idna".to_owned(),
        version: None,
        url: PackageUrl::new(Url::parse("https://f.example/idna-3.10-py3-none-any.whl").unwrap()),
        hashes: hash(3),
        lines: Lines::one(1),
        is_direct: false,
        size: None,
        file: None,
        requires_dist: Vec::new(),
        requires_python: None,
    };
    let variables = BTreeMap::from([
        ("GREETING".to_owned(), "hello \"you\"\nthere".to_owned()),
        ("OMP_NUM_THREADS".to_owned(), "1".to_owned()),
    ]);
    let text = render(&ExplicitLock {
        syntax: Some("org/condafront:1"),
        platform: Platform::LinuxAmd64,
        name: Some("lab"),
        variables: &variables,
        packages: &[large, secret, old, package("unhashed", Hashes::default())],
        pip: &[wheel],
        repositories: &[(
            "demo".to_owned(),
            format!(
                "git+https://git.example/demo.git@{}#subdirectory=py",
                "a".repeat(40)
            ),
        )],
        source: Some("env.yml"),
    });
    insta::assert_snapshot!(text.replace(env!("CARGO_PKG_VERSION"), "<version>"));
    let again = read(&text);
    assert_eq!(again.prefix, Some(EnvironmentPrefix::of("lab").unwrap()));
    assert_eq!(again.variables, variables);
    assert_eq!(again.locked().unwrap()[0].size, Some(31_415_926));
    let Pip::Locked(LockedPip { repositories, .. }) = &again.pip else {
        panic!("a lock");
    };
    assert_eq!(repositories[0].url, "https://git.example/demo.git");
    assert_eq!(repositories[0].subdir.as_deref(), Some("py"));
}

prop_compose! {
    fn any_hashes()(byte in any::<u8>(), kind in 0..3) -> Hashes {
        match kind {
            0 => hash(byte),
            1 => Hashes { md5: Some(format!("{byte:02x}").repeat(16)), sha256: None },
            _ => Hashes::default(),
        }
    }
}

prop_compose! {
    fn any_package()(
        name in "[a-z_][a-z0-9_.-]{0,10}",
        version in "[0-9]{1,3}(\\.[0-9]{1,3}){0,2}(!1)?",
        build in "[a-z0-9_]{1,8}",
        conda in any::<bool>(),
        noarch in any::<bool>(),
        hashes in any_hashes(),
        size in proptest::option::of(any::<u64>()),
    ) -> Package {
        let suffix = if conda { ".conda" } else { ".tar.bz2" };
        let id = PackageId::from_file_name(&format!("{name}-{version}-{build}{suffix}")).unwrap();
        let subdir = if noarch { "noarch" } else { "linux-64" };
        let url = format!("https://c.example/conda-forge/{subdir}/{}", id.file_name());
        let url = PackageUrl::new(Url::parse(&url).unwrap());
        Package { id, subdir: subdir.to_owned(), url, hashes, size, lines: Lines::one(1) }
    }
}

prop_compose! {
    fn any_wheel()(name in "[A-Za-z][A-Za-z0-9]{0,8}", version in "[0-9]{1,3}", hashes in any_hashes()) -> PipPackage {
        let url = format!("https://files.example/{name}-{version}-py3-none-any.whl");
        PipPackage {
            name,
            version: Some(version),
            url: PackageUrl::new(Url::parse(&url).unwrap()),
            hashes,
            lines: Lines::one(1),
            is_direct: false,
            size: None,
            file: None,
            requires_dist: Vec::new(),
            requires_python: None,
        }
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(
        packages in proptest::collection::vec(any_package(), 1..20),
        pip in proptest::collection::vec(any_wheel(), 0..6),
        name in proptest::option::of("[a-z][a-z0-9_-]{0,10}".prop_filter("base has two names", |name| name != "root")),
        variables in proptest::collection::btree_map("[A-Z_][A-Z0-9_]{0,8}", "\\PC{0,12}|[\n\r\t \"]{0,3}", 0..4),
    ) {
        let mut names = std::collections::HashSet::new();
        let mut packages: Vec<Package> =
            packages.into_iter().filter(|package| names.insert(package.id.name.clone())).collect();
        packages[0].size = None;
        let mut names = std::collections::HashSet::new();
        let pip: Vec<PipPackage> =
            pip.into_iter().filter(|package| names.insert(package.name.to_lowercase())).collect();
        let text = render(&ExplicitLock {
            syntax: None,
            platform: Platform::LinuxAmd64,
            name: name.as_deref(),
            variables: &variables,
            packages: &packages,
            pip: &pip,
            repositories: &[],
            source: Some("a\nb"),
        });
        let again = read(&text);
        let place = |mut package: Package| { package.lines = Lines::one(1); package };
        let found: Vec<Package> = again.locked().unwrap().iter().cloned().map(place).collect();
        prop_assert_eq!(found, packages);
        let Pip::Locked(LockedPip { files: found, .. }) = &again.pip else { panic!("a lock") };
        let place = |mut package: PipPackage| { package.lines = Lines::one(1); package };
        let found: Vec<PipPackage> = found.iter().cloned().map(place).collect();
        prop_assert_eq!(found, pip);
        let prefix = name.map(|name| EnvironmentPrefix::of(&name).unwrap());
        prop_assert_eq!(&again.prefix, &prefix);
        prop_assert_eq!(&again.variables, &variables);
        let source = format!("# made by condafront {} from a b\n", env!("CARGO_PKG_VERSION"));
        let without = format!("# made by condafront {}\n", env!("CARGO_PKG_VERSION"));
        prop_assert_eq!(rendered(&again), text.replace(&source, &without));
    }
}
