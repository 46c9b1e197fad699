//! The mounted python, which compiles modules.
//!
//! Starting python takes longer than compiling a small package. So one process serves all packages that a thread compiles,
//! and forks for each of them. What `marshal` writes depends on which objects a process already shares: because each
//! child starts with the same ones, a package's bytecode does not depend on the rest of its step.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use crate::child::{self, ChildError};
use condafront_step_spec::facts::{Notice, Subject};
use condafront_step_spec::install::PythonSpec;
use condafront_step_spec::timeout::Timeout;

/// Answers requests from standard input, each with a number of bytes on a line of its own before it, and its fields separated
/// by NUL: the folder of sources, where it will be, a folder for bytecode, and the sources, relative to the folder. The
/// answer, in the same form, is the paths of the bytecode. Skips a source that does not compile, as conda does: packages
/// contain files for other python versions. If a child fails, the process ends as the child did.
///
/// It does what `py_compile` does, without the modules that `py_compile` imports. The parent does nothing but wait, so that it
/// has the same objects at every fork.
const SCRIPT: &str = "\
import importlib.machinery, importlib.util, marshal, os, sys
cache_from_source, source_hash = importlib.util.cache_from_source, importlib.util.source_hash
start = importlib.util.MAGIC_NUMBER + (0b01).to_bytes(4, 'little')
def compile_all(prefix, final, out, *paths):
    for path in paths:
        source = os.path.join(prefix, path)
        loader = importlib.machinery.SourceFileLoader('<py_compile>', source)
        try:
            content = loader.get_data(source)
            code = loader.source_to_code(content, os.path.join(final, path))
        except Exception:
            continue
        cache = cache_from_source(path)
        file = os.path.join(out, cache)
        os.makedirs(os.path.dirname(file), exist_ok=True)
        with open(file, 'wb') as compiled:
            compiled.write(start + source_hash(content) + marshal.dumps(code))
        yield os.fsencode(cache)
while True:
    size = sys.stdin.buffer.readline()
    if not size:
        break
    request = sys.stdin.buffer.read(int(size))
    child = os.fork()
    if not child:
        fields = [os.fsdecode(field) for field in request.split(b'\\0')]
        answer = b'\\0'.join(compile_all(*fields))
        sys.stdout.buffer.write(b'%d\\n' % len(answer) + answer)
        sys.stdout.buffer.flush()
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    if status & 127:
        os.kill(os.getpid(), status & 127)
    if status:
        sys.exit(status >> 8)
";

/// A python that runs wherever it is mounted.
#[derive(Debug)]
pub(crate) struct Runtime {
    loader: PathBuf,
    library_path: String,
    home: PathBuf,
    python: PathBuf,
    /// How long a process may take to answer.
    limit: Timeout,
    /// Processes that wait for a request: at most one for each thread that has compiled something.
    idle: Mutex<Vec<Process>>,
}

impl Runtime {
    /// Finds the python `version` in the output of `python-runtime` at `dir`.
    ///
    /// # Errors
    /// Why there is none, worded for a notice.
    fn find(dir: &Path, version: &str) -> Result<Self, String> {
        let glibc = dir.join("glibc");
        let loader = fs::read_dir(&glibc)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .find(|path| {
                path.file_name()
                    .is_some_and(|name| name.to_string_lossy().starts_with("ld-"))
            })
            .ok_or("the base image has no glibc to run python with")?;
        let home = dir.join("prefix");
        let python = [
            format!("bin/python{version}"),
            format!("bin/python{version}t"),
        ]
        .iter()
        .map(|name| home.join(name))
        .find(|path| path.is_file())
        .ok_or_else(|| format!("the python package has no bin/python{version}"))?;
        Ok(Runtime {
            loader,
            library_path: format!("{}:{}", glibc.display(), home.join("lib").display()),
            home,
            python,
            limit: child::longest_silence(),
            idle: Mutex::default(),
        })
    }

    /// The runtime for this `python` in the directory `dir`, if one is needed; a notice if there cannot be one.
    pub(crate) fn wanted(python: &PythonSpec, dir: &Path) -> (Option<Self>, Option<Notice>) {
        if !python.runtime {
            return (None, None);
        }
        match Self::find(dir, &python.version) {
            Ok(runtime) => (Some(runtime), None),
            Err(why) => {
                let message = format!("python bytecode was not compiled: {why}");
                (None, Some(Notice::new(Subject::Bytecode, message)))
            }
        }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.loader);
        command
            .arg("--library-path")
            .arg(&self.library_path)
            .arg(&self.python)
            .args(["-S", "-s", "-B", "-W", "ignore", "-c", SCRIPT])
            .env_clear()
            .env("PYTHONHOME", &self.home)
            .env("PYTHONHASHSEED", "0")
            .env("LC_ALL", "C.UTF-8");
        command
    }

    /// Compiles `sources` (relative to `dir`, which will be `prefix`) into `out`. Returns the
    /// bytecode's paths relative to `out`, or why python failed.
    pub(crate) fn compile(
        &self,
        sources: &[&str],
        dir: &Path,
        prefix: &str,
        out: &Path,
    ) -> Result<Vec<String>, String> {
        let folders = [dir.as_os_str(), OsStr::new(prefix), out.as_os_str()];
        let fields = folders
            .into_iter()
            .chain(sources.iter().map(OsStr::new))
            .map(OsStr::as_bytes);
        let request = fields.collect::<Vec<_>>().join(&0);
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = idle().pop();
        if let Some(mut process) = waiting {
            match process.ask(&request, self.limit) {
                Ok(answer) => {
                    idle().push(process);
                    return Ok(paths(&answer));
                }
                Err(error @ AskError::Late(_)) => return Err(process.failure(&error)),
                // It may have been killed meanwhile, for example for lack of memory. A new one shows whether python works.
                Err(AskError::Broken) => {}
            }
        }
        let mut process =
            Process::start(self.command()).map_err(|e| format!("it cannot be started: {e}"))?;
        match process.ask(&request, self.limit) {
            Ok(answer) => {
                idle().push(process);
                Ok(paths(&answer))
            }
            Err(error) => Err(process.failure(&error)),
        }
    }
}

/// The paths of an answer, sorted.
fn paths(answer: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(answer);
    let paths = text.split('\0').filter(|path| !path.is_empty());
    let mut paths: Vec<String> = paths.map(str::to_owned).collect();
    paths.sort();
    paths
}

/// Why there is no answer.
#[derive(Debug)]
enum AskError {
    /// Python has taken longer than this, and was ended.
    Late(Timeout),
    /// Python has ended, or its answer cannot be read.
    Broken,
}

impl From<io::Error> for AskError {
    fn from(_: io::Error) -> Self {
        Self::Broken
    }
}

/// A python that runs the script. It ends when its standard input does.
#[derive(Debug)]
struct Process {
    child: Child,
    requests: Option<ChildStdin>,
    answers: Option<BufReader<ChildStdout>>,
    /// Reads what python says when it fails.
    errors: Option<JoinHandle<String>>,
}

impl Process {
    fn start(mut command: Command) -> io::Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // It is ended together with its children, which have the same pipes.
            .process_group(0)
            .spawn()?;
        let (requests, answers) = (child.stdin.take(), child.stdout.take());
        let errors = child.stderr.take().map(|mut stderr| {
            thread::spawn(move || {
                let mut text = Vec::new();
                // What was read until then is shown.
                let _ = stderr.read_to_end(&mut text);
                String::from_utf8_lossy(&text).into_owned()
            })
        });
        Ok(Self {
            child,
            requests,
            answers: answers.map(BufReader::new),
            errors,
        })
    }

    /// The answer to a request.
    ///
    /// # Errors
    /// A python that fails, or takes longer than `limit`.
    fn ask(&mut self, request: &[u8], limit: Timeout) -> Result<Vec<u8>, AskError> {
        let leader = self.child.id();
        thread::scope(|scope| {
            let (done, answered) = mpsc::channel::<()>();
            let watch = scope.spawn(move || {
                let waited = answered.recv_timeout(limit.duration());
                let is_late = waited == Err(RecvTimeoutError::Timeout);
                if is_late {
                    // That ends reading and writing too.
                    child::end_group(leader);
                }
                is_late
            });
            let answer = self.exchange(request);
            drop(done);
            match watch.join() {
                Ok(true) => Err(AskError::Late(limit)),
                _ => Ok(answer?),
            }
        })
    }

    fn exchange(&mut self, request: &[u8]) -> io::Result<Vec<u8>> {
        let (Some(requests), Some(answers)) = (&mut self.requests, &mut self.answers) else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        // The script reads all of a request before it answers, so this cannot deadlock.
        requests.write_all(format!("{}\n", request.len()).as_bytes())?;
        requests.write_all(request)?;
        requests.flush()?;
        let mut size = String::new();
        answers.read_line(&mut size)?;
        let size = size.trim_end().parse();
        let size: usize = size.map_err(|_| io::ErrorKind::InvalidData)?;
        let mut answer = vec![0; size];
        answers.read_exact(&mut answer)?;
        Ok(answer)
    }

    /// Why there was no answer.
    fn failure(mut self, error: &AskError) -> String {
        self.close();
        if let AskError::Late(limit) = error {
            return ChildError::Silent(*limit).to_string();
        }
        let status = match self.child.wait() {
            Ok(status) => status,
            Err(error) => return format!("it cannot be waited for: {error}"),
        };
        let said = self.errors.take().and_then(|errors| errors.join().ok());
        let said = said.unwrap_or_default();
        let last = said.trim_end().lines().next_back().unwrap_or_default();
        format!("{status}: {last}")
    }

    /// Ends it: it has nothing more to read, and cannot wait for what it writes to be read.
    fn close(&mut self) {
        drop(self.requests.take());
        drop(self.answers.take());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.close();
        // It has answered everything; its status says nothing more.
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_process_answers_several_requests() {
        let script =
            r"while read -r size; do request=$(head -c $size); printf '3\n<%s>' $request; done";
        let mut process = Process::start(shell(script)).unwrap();
        for request in [b"a", b"b"] {
            let answer = process.ask(request, Timeout::default()).unwrap();
            assert_eq!(answer, [b"<", &request[..], b">"].concat());
        }
    }

    #[test]
    fn why_python_failed_is_its_last_line() {
        for (script, why) in [
            (
                "read -r size; echo Traceback >&2; echo MemoryError >&2; exit 3",
                "exit status: 3: MemoryError",
            ),
            ("kill -9 $$", "signal: 9 (SIGKILL): "),
            ("read -r size; echo nonsense", "exit status: 0: "),
            ("read -r size; printf '10\nshort'", "exit status: 0: "),
        ] {
            let mut process = Process::start(shell(script)).unwrap();
            let error = process.ask(b"a", Timeout::default()).unwrap_err();
            assert_eq!(process.failure(&error), why, "{script}");
        }
    }

    /// Each of them would go on for ever.
    #[test]
    fn a_python_that_does_not_answer_is_ended_with_its_children() {
        let limit = Timeout::parse("1s").unwrap();
        let large = vec![b'a'; 1 << 20];
        for (script, request) in [
            ("read -r size; while :; do sleep 1; done", &b"a"[..]),
            ("read -r size; sleep infinity & wait", &b"a"[..]),
            (
                "read -r size; printf '10\nshort'; sleep infinity",
                &b"a"[..],
            ),
            ("sleep infinity", &large[..]),
        ] {
            let mut process = Process::start(shell(script)).unwrap();
            let error = process.ask(request, limit).unwrap_err();
            let why = process.failure(&error);
            let expected = "printed nothing for 1 second, and was stopped";
            assert_eq!(why, expected, "{script}");
        }
    }
}
