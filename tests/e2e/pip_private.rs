//! Indexes that need credentials: if given as secrets, they appear nowhere.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use condafront_testkit::channel::WheelFile;
use condafront_testkit::engine::Store;
use condafront_testkit::server::Auth;
use sha2::{Digest, Sha256};

use crate::git::{GitServer, base_with_git, commit_all};
use crate::image_bytes::{contains, unpacked_bytes};
use crate::pip::{fill_index, hello};
use crate::pip_lists::write;
use crate::project::{Project, UNCOMPRESSED, base, frontend};

const USER: &str = "ada-71c2";
const PASSWORD: &str = "hunter2-5d1c";

/// A folder with an index of these wheels.
pub(crate) fn index(wheels: &[WheelFile]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("files")).expect("a folder in it");
    for wheel in wheels {
        let (file, content) = (wheel.file_name(), wheel.build());
        let name = file.split('-').next().expect("a name").replace('_', "-");
        let page = folder.path().join("simple").join(name);
        std::fs::create_dir_all(&page).expect("a page's folder");
        let hash = hex::encode(Sha256::digest(&content));
        let link = format!("<html><a href=\"../../files/{file}#sha256={hash}\">{file}</a></html>");
        std::fs::write(page.join("index.html"), link).expect("a page");
        std::fs::write(folder.path().join("files").join(file), content).expect("a wheel");
    }
    folder
}

/// Every way to give an index's credentials as secrets, in a build with full provenance: they are in no layer, config,
/// history, attestation, progress line or exported cache.
#[test]
fn credentials_of_indexes_appear_nowhere() {
    let project = Project::new(Store::Containerd);
    let folder = index(&[
        hello("1.0").metadata("Requires-Dist: needed"),
        WheelFile::new("needed", "1.0").file("needed.py", ""),
    ]);
    let auth = Auth::Basic {
        user: USER.to_owned(),
        password: PASSWORD.to_owned(),
    };
    let server = &project.server;
    server.mount_private("/private", folder.path(), auth);
    let address = server.address();
    let plain = format!("http://{address}/private/simple/");
    let with_credentials = format!("http://{USER}:{PASSWORD}@{address}/private/simple/");
    let encoded = STANDARD.encode(format!("{USER}:{PASSWORD}"));
    project.write("header", format!("Basic {encoded}"));
    project.write("index", &with_credentials);
    project.write("user", USER);
    project.write("password", PASSWORD);
    let netrc = format!(
        "machine {} login {USER} password {PASSWORD}\n",
        address.ip()
    );
    project.write("netrc", netrc);
    project.write(
        "pip.conf",
        format!("[global]\nindex-url = {with_credentials}\n"),
    );
    let in_list =
        format!("--index-url http://${{PYPI_USER}}:${{PYPI_PASSWORD}}@{address}/private/simple/\n");
    let (image, cache) = (project.path("image"), project.path("cache"));
    let header = format!("id=HTTP_AUTH_HEADER_{},src=header", address.ip());
    for (title, list, secrets) in [
        (
            "a secret URL",
            String::new(),
            &["id=PIP_INDEX_URL,src=index"][..],
        ),
        (
            "variables in a requirements file",
            in_list,
            &["id=PYPI_USER,src=user", "id=PYPI_PASSWORD,src=password"],
        ),
        (
            "netrc",
            format!("--index-url {plain}\n"),
            &["id=NETRC,src=netrc"],
        ),
        (
            "pip's configuration",
            String::new(),
            &["id=PIP_CONFIG_FILE,src=pip.conf"],
        ),
    ] {
        project.write("requirements.txt", format!("{list}hello.world\n"));
        let text = format!(
            "# syntax={}\nchannels: [\"{}\"]\ndependencies:\n  - python\ncondafront:\n  pip: [-r requirements.txt]\n",
            frontend(),
            project.channel()
        );
        project.write("env.yml", text);
        let output = format!("type=oci,tar=false,dest={},{UNCOMPRESSED}", image.display());
        let cache_to = format!(
            "type=local,dest={},mode=max,{UNCOMPRESSED}",
            cache.display()
        );
        let base = format!("BASE_IMAGE={}", base());
        let mut build = vec![
            "buildx",
            "build",
            "--progress=plain",
            "-f",
            "env.yml",
            "--network=host",
            "--build-arg=CONDAFRONT_INSTALLER=native",
            "--build-arg",
            &base,
            "--provenance=mode=max",
            "--cache-to",
            &cache_to,
            "--output",
            &output,
            "--secret",
            &header,
        ];
        for secret in secrets {
            build.extend(["--secret", secret]);
        }
        build.push(".");
        let built = project.docker(&build).expect_success();
        let mut seen = format!("{}{}", built.stdout, built.stderr).into_bytes();
        seen.extend(unpacked_bytes(&image));
        seen.extend(unpacked_bytes(&cache));
        // The check reads the right data: the package and its source are in it.
        assert!(contains(&seen, "hello_world-1.0.dist-info"), "{title}");
        assert!(contains(&seen, "/private/files/hello_world-1.0"), "{title}");
        for secret in [USER, PASSWORD, &encoded] {
            assert!(!contains(&seen, secret), "{secret} appears: {title}");
        }
        for folder in [&image, &cache] {
            std::fs::remove_dir_all(folder).expect("a folder of ours");
        }
    }

    // Errors do not contain them either.
    project.write("requirements.txt", "hello.world>=2\n");
    let fails = |args: &[&str]| {
        let usual = ["buildx", "build", "--progress=plain", "-f", "env.yml"];
        let base = format!("--build-arg=BASE_IMAGE={}", base());
        let native = "--build-arg=CONDAFRONT_INSTALLER=native";
        let output = project.docker(&[&usual[..], &[native, &base], args, &["."]].concat());
        output.expect_failure().stderr
    };
    let said = fails(&["--network=host", "--secret=id=PIP_INDEX_URL,src=index"]);
    assert!(said.contains(">>> hello.world>=2"), "{said}");
    for secret in [USER, PASSWORD, &encoded] {
        assert!(!said.contains(secret), "{said}");
    }
}

/// The history of a private repository: the login is for git alone. Neither the package's build sees it, nor does it appear
/// anywhere.
#[test]
fn histories_of_private_repositories_are_loaded_with_the_login() {
    let project = Project::new(Store::Containerd);
    let index = fill_index(&project);
    let setup = format!(
        "import os, subprocess\nfrom setuptools import setup\nfor name, value in os.environ.items():\n    assert 'GIT_AUTH' not in name and {:?} not in value[::-1]\nsaid = subprocess.run(['git', 'describe', '--tags'], capture_output=True, check=True, text=True).stdout\nsetup(name='versioned', version=said.strip().replace('-', '.post', 1).split('-')[0], py_modules=[])\n",
        PASSWORD.chars().rev().collect::<String>()
    );
    write(&project, "repositories/private/setup.py", &setup);
    let folder = project.path("repositories/private");
    let first = commit_all(&folder);
    let tag = std::process::Command::new("git")
        .args(["tag", "v1.5"])
        .current_dir(&folder)
        .status();
    assert!(tag.expect("git runs").success());
    write(&project, "repositories/private/other", "");
    commit_all(&folder);
    let login = STANDARD.encode(format!("x-access-token:{PASSWORD}"));
    let git = GitServer::start_private(&project.path("repositories"), &format!("basic {login}"));
    project.write("token", PASSWORD);
    let with_git = base_with_git(&project);
    let base = format!("BASE_IMAGE={}", with_git.tag());
    let url = git.url("private");
    let ask = |reference: &str| {
        let text = format!(
            "# syntax={}\nchannels: [\"{}\"]\ndependencies:\n  - python\n  - pip:\n      - versioned @ git+{url}@{reference}\n",
            frontend(),
            project.channel()
        );
        project.write("env.yml", text);
    };
    let image = project.path("image");
    let output = format!("type=oci,tar=false,dest={},{UNCOMPRESSED}", image.display());
    let of_server = format!("id=GIT_AUTH_TOKEN.{},src=token", git.address());
    let build = |secret: &[&str]| {
        let usual = [
            "buildx",
            "build",
            "--progress=plain",
            "-f",
            "env.yml",
            "--network=host",
            "--build-arg=CONDAFRONT_INSTALLER=native",
            "--provenance=mode=max",
            "--build-arg",
            &base,
            "--build-arg",
            &index,
            "--output",
            &output,
        ];
        project.docker(&[&usual[..], secret, &["."]].concat())
    };
    for (reference, version) in [
        ("main#history=true", "versioned-1.5.post1.dist-info"),
        // The step that finds it logs in, too.
        (
            &format!("{}#history=true", &first[..10]),
            "versioned-1.5.dist-info",
        ),
    ] {
        ask(reference);
        let built = build(&["--secret", &of_server]).expect_success();
        let mut seen = format!("{}{}", built.stdout, built.stderr).into_bytes();
        seen.extend(unpacked_bytes(&image));
        assert!(contains(&seen, version), "{reference}");
        for secret in [PASSWORD, &login] {
            assert!(!contains(&seen, secret), "{secret} appears: {reference}");
        }
        std::fs::remove_dir_all(&image).expect("a folder of ours");
    }
    let said = build(&["--no-cache"]).expect_failure().stderr;
    assert!(said.contains("versioned @ git+"), "{said}");
    assert!(said.contains("GIT_AUTH_TOKEN"), "{said}");
}
