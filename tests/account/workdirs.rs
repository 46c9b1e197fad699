//! Working directories.

use std::fs;

use condafront_step_spec::account::UserRequest;

use crate::image::Image;

#[test]
fn a_working_directory_is_made_for_the_user() {
    let image = Image::new().directory("srv", 0o711, 0);
    let user = UserRequest::default();
    let made = image.run_with(&user, Some("/srv/lab/app"));
    assert!(made.expect("a layer").made_workdir);
    assert_eq!(image.meta("srv"), (0o711, 0, 0));
    assert_eq!(image.meta("srv/lab"), (0o755, 57439, 57439));
    assert_eq!(image.meta("srv/lab/app"), (0o755, 57439, 57439));

    let image = Image::new();
    let below_home = "/home/mambauser/app";
    image.run_with(&user, Some(below_home)).expect("a layer");
    assert_eq!(image.meta("home"), (0o755, 0, 0));
    assert_eq!(image.meta("home/mambauser/app"), (0o755, 57439, 57439));
}

#[test]
fn a_working_directory_of_the_base_is_kept() {
    let image = Image::new()
        .directory("var/data", 0o700, 12)
        .link("data", "var/data");
    for existing in ["/", "/data"] {
        let result = image.run_with(&UserRequest::default(), Some(existing));
        assert!(!result.expect("a layer").made_workdir);
        assert!(!image.has("var") && !image.has("data"));
        fs::remove_dir_all(image.dir.path().join("out")).expect("rm");
        fs::create_dir(image.dir.path().join("out")).expect("mkdir");
    }
}

#[test]
fn a_file_cannot_be_the_working_directory() {
    let image = Image::new().file("srv/app", "a file");
    for path in ["/srv/app", "/srv/app/below"] {
        let result = image.run_with(&UserRequest::default(), Some(path));
        assert_eq!(
            result.expect_err("this is a file").to_string(),
            format!(
                "cannot create the working directory `{path}`: /srv/app in the base image is not a directory"
            )
        );
        fs::remove_dir_all(image.dir.path().join("out")).expect("rm");
        fs::create_dir(image.dir.path().join("out")).expect("mkdir");
    }
}
