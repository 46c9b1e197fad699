//! A headless Chromium, told what to do by the WebDriver protocol (<https://www.w3.org/TR/webdriver2/>).

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::{Value, json};

/// How long to wait for something on a page.
const DEADLINE: Duration = Duration::from_mins(2);

const POLL: Duration = Duration::from_millis(100);

/// Chromium without its own traffic; root needs `--no-sandbox`.
const ARGUMENTS: [&str; 9] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1000,690",
];

/// Keys without a character of their own.
pub(super) mod keys {
    pub(crate) const SHIFT: char = '\u{e008}';
    pub(crate) const CONTROL: char = '\u{e009}';
    pub(crate) const ENTER: char = '\u{e007}';
}

/// A browser with one page. Dropping it closes it.
pub(super) struct Browser {
    port: u16,
    session: String,
    driver: Child,
}

impl Browser {
    /// Starts a browser with this chromedriver.
    pub(super) fn start(chromedriver: &Path) -> Self {
        let mut driver = Command::new(chromedriver)
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("chromedriver starts");
        let stdout = driver.stdout.take().expect("its output");
        let port = BufReader::new(stdout)
            .lines()
            .map_while(Result::ok)
            .find_map(|line| {
                let (_, port) = line.split_once("started successfully on port ")?;
                port.trim_end_matches('.').parse().ok()
            })
            .expect("chromedriver says its port");
        let mut browser = Self {
            port,
            session: String::new(),
            driver,
        };
        let options = json!({"goog:chromeOptions": {"args": ARGUMENTS}});
        let asked = json!({"capabilities": {"alwaysMatch": options}});
        let started = browser.call("POST", "/session", &asked);
        let started = started.unwrap_or_else(|error| panic!("no browser: {error}"));
        let id = started["sessionId"].as_str().expect("a session");
        browser.session = format!("/session/{id}");
        browser
    }

    /// Opens a page.
    pub(super) fn open(&self, url: &str) {
        self.command("/url", &json!({"url": url}));
    }

    /// What a JavaScript expression gives.
    pub(super) fn ask(&self, expression: &str) -> Value {
        let script = format!("return {expression}");
        self.command("/execute/sync", &json!({"script": script, "args": []}))
    }

    /// Waits until a JavaScript expression is true, and says what the page shows if it never is.
    #[track_caller]
    pub(super) fn wait_for(&self, expression: &str) {
        let deadline = Instant::now() + DEADLINE;
        while self.ask(&format!("Boolean({expression})")) != json!(true) {
            assert!(
                Instant::now() < deadline,
                "not true: {expression}\n{}",
                self.ask("document.body.innerText")
            );
            thread::sleep(POLL);
        }
    }

    /// Clicks on the first element that a CSS selector names, as soon as it is there and nothing covers it.
    #[track_caller]
    pub(super) fn click(&self, selector: &str) {
        let asked = json!({"using": "css selector", "value": selector});
        let deadline = Instant::now() + DEADLINE;
        loop {
            let path = format!("{}/element", self.session);
            let clicked = self.call("POST", &path, &asked).and_then(|found| {
                let id = found.as_object().and_then(|found| found.values().next());
                let id = id.and_then(Value::as_str).expect("an element");
                self.call("POST", &format!("{path}/{id}/click"), &json!({}))
            });
            let Err(error) = clicked else {
                return;
            };
            assert!(Instant::now() < deadline, "{selector}: {error}");
            thread::sleep(POLL);
        }
    }

    /// Types a text into what has the focus.
    pub(super) fn write(&self, text: &str) {
        let strokes = text.chars().flat_map(|key| [down(key), up(key)]);
        self.press_all(strokes.collect());
    }

    /// Presses keys together.
    pub(super) fn press(&self, together: &[char]) {
        let pressed = together.iter().copied().map(down);
        let released = together.iter().rev().copied().map(up);
        self.press_all(pressed.chain(released).collect());
    }

    fn press_all(&self, actions: Vec<Value>) {
        let keyboard = json!({"type": "key", "id": "keyboard", "actions": actions});
        self.command("/actions", &json!({"actions": [keyboard]}));
    }

    /// The page as a PNG.
    pub(super) fn picture(&self) -> Vec<u8> {
        let path = format!("{}/screenshot", self.session);
        let picture = self.call("GET", &path, &Value::Null).expect("a picture");
        let encoded = picture.as_str().expect("a picture");
        BASE64_STANDARD.decode(encoded).expect("base64")
    }

    #[track_caller]
    fn command(&self, path: &str, body: &Value) -> Value {
        let path = format!("{}{path}", self.session);
        let answer = self.call("POST", &path, body);
        answer.unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// The answer, or the error that it is.
    #[track_caller]
    fn call(&self, method: &str, path: &str, body: &Value) -> Result<Value, Value> {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let answer = self.exchange(method, path, &body);
        let answer = answer.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        let value = answer["value"].clone();
        if value["error"].is_null() {
            Ok(value)
        } else {
            Err(value)
        }
    }

    fn exchange(&self, method: &str, path: &str, body: &str) -> std::io::Result<Value> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: localhost:{}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            self.port,
            body.len()
        )?;
        let mut reader = BufReader::new(stream);
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let line = line.trim().to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().expect("a length");
            }
        }
        let mut answer = vec![0; length];
        reader.read_exact(&mut answer)?;
        Ok(serde_json::from_slice(&answer)?)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The browser ends with its session. Nothing can be done about a driver that has gone.
        let _ = self.exchange("DELETE", &self.session, "");
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

fn down(key: char) -> Value {
    json!({"type": "keyDown", "value": key})
}

fn up(key: char) -> Value {
    json!({"type": "keyUp", "value": key})
}
