//! Indexes that need credentials: if given as secrets, they appear nowhere.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use condafront_testkit::channel::WheelFile;
use condafront_testkit::engine::Store;
use condafront_testkit::server::Auth;
use sha2::{Digest, Sha256};

use crate::pip::hello;
use crate::project::{Project, base, frontend};
use crate::secrets::{contains, unpacked_bytes};

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
        let output = format!("type=oci,tar=false,dest={}", image.display());
        let cache_to = format!("type=local,dest={},mode=max", cache.display());
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
