//! The README's JupyterLab in a browser.

use std::path::Path;
use std::{env, fs};

use condafront_testkit::engine::Store;
use condafront_testkit::needs;

use super::webdriver::{Browser, keys};
use crate::examples::example::{Example, page};
use crate::project::{Project, base};
use crate::readme;

/// The picture that the README shows. With `UPDATE_DOCS`, the test takes it.
const PICTURE: &str = "docs/jupyterlab.png";

/// What is typed into the first cell.
const CELL: &str = "import numpy as np\nnp.arange(12).reshape(3, 4)";

/// The button `No`.
const NO: &str =
    "[...document.querySelectorAll('button')].find(button => button.innerText.trim() == 'No')";

/// What the kernel answers.
const ANSWER: &str =
    "array([[ 0,  1,  2,  3],\n       [ 4,  5,  6,  7],\n       [ 8,  9, 10, 11]])";

#[test]
#[ignore = "needs a browser"]
fn needs_chromium_the_lab_of_the_readme_runs_and_saves_a_notebook() {
    let project = Project::new(Store::Containerd).through_docker();
    let [_, lab] = readme::files()[..] else {
        panic!("{:?}", readme::files());
    };
    project.write("lab.yml", lab);
    let (_, commands) = readme::README.split_once("`lab.yml`").expect("the lab");
    let mut example = Example::of_project(&project, commands).base("ubuntu:24.04", &base());
    example.run("docker build -f lab.yml");
    let lab = example.start_published();
    page(&lab, "http://localhost:8888/api");
    let address = lab.address(8888);
    // The address that it tells its user, as seen from outside.
    let url = lab.address_in_logs("http://127.0.0.1:8888/lab?token=");
    let url = url.replace("127.0.0.1:8888", &address);

    let browser = Browser::start(&needs::chromedriver());
    browser.open(&url);
    browser.click(".jp-LauncherCard[data-category='Notebook']");
    // It asks whether to show news; it has no answer yet, because its user is new.
    browser.wait_for(NO);
    browser.ask(&format!("{NO}.click()"));
    // A cell that is run before the kernel answers is forgotten. The indicator of the notebook says `idle` before that.
    browser.wait_for("document.body.innerText.includes('(ipykernel) | Idle')");
    browser.click(".jp-Notebook .cm-content");
    browser.write(CELL);
    browser.press(&[keys::SHIFT, keys::ENTER]);
    browser.wait_for("document.querySelector('.jp-OutputArea-output pre')");
    let answer = browser.ask("document.querySelector('.jp-OutputArea-output pre').innerText");
    assert_eq!(answer.as_str().unwrap_or_default().trim(), ANSWER);

    browser.press(&[keys::CONTROL, 's']);
    // It asks for a name.
    browser.click(".jp-Dialog .jp-mod-accept");
    browser.wait_for("!document.querySelector('.jp-mod-dirty')");
    let read = "import json, pathlib, time
path = pathlib.Path('Untitled.ipynb')
deadline = time.monotonic() + 60
while 'array([[' not in path.read_text():
    assert time.monotonic() < deadline, path.read_text()
    time.sleep(0.1)
cell = json.loads(path.read_text())['cells'][0]
print(path.owner(), cell['outputs'][0]['data']['text/plain'][0].strip())";
    let saved = lab.exec(&[], &["python", "-c", read]).expect_success();
    assert_eq!(saved.stdout, "ada array([[ 0,  1,  2,  3],\n");

    let picture = browser.picture();
    assert!(picture.starts_with(b"\x89PNG"), "not a picture");
    if env::var_os("UPDATE_DOCS").is_some() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PICTURE);
        fs::write(path, picture).expect("the picture in docs");
    }
}
