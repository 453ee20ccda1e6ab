//! The process under test: started on port 0 in a directory of its own, asked through its own command line, stopped by pid.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::harness::client::{Client, Request};
use crate::harness::config::{Config, PRICES, UPSTREAM_SECRET};
use crate::harness::temp::Temp;
use crate::harness::wait::{PATIENCE, within};

/// The administrator's token in every test.
pub(crate) const ADMIN_TOKEN: &str = "admin-token-for-tests-0123456789abcdef";

/// A running Lintel.
pub(crate) struct Lintel {
    child: Child,
    /// The data listener.
    pub(crate) addr: SocketAddr,
    /// The admin listener.
    pub(crate) admin: SocketAddr,
    /// Its directory: `lintel.yaml` and `store/`.
    pub(crate) dir: Arc<Temp>,
    /// From start to the ready line.
    pub(crate) ready_in: Duration,
    output: Arc<Mutex<String>>,
    /// Processes that took over, oldest first; the last one serves.
    pub(crate) heirs: Vec<u32>,
}

/// A key as the command line prints it.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    /// `key_…`
    pub(crate) id: String,
    /// `lk_…`
    pub(crate) secret: String,
}

impl Lintel {
    /// Starts one in a new directory.
    pub(crate) fn start(config: &Config) -> Lintel {
        Lintel::start_in(Arc::new(Temp::new()), config)
    }

    /// Starts one in `dir`, on the store that is there.
    pub(crate) fn start_in(dir: Arc<Temp>, config: &Config) -> Lintel {
        Lintel::write_config(&dir, config);
        Lintel::try_start(dir, &["serve", "--config", "lintel.yaml"], &[])
            .unwrap_or_else(|said| panic!("did not start: {said}"))
    }

    /// Starts one with these arguments and environment; what it said, if it ended before it was ready.
    pub(crate) fn try_start(
        dir: Arc<Temp>,
        args: &[&str],
        env: &[(&str, &str)],
    ) -> Result<Lintel, String> {
        Lintel::try_run(dir, &binary(), args, env)
    }

    /// Like [`Lintel::try_start`], with a program of its own.
    pub(crate) fn try_run(
        dir: Arc<Temp>,
        program: &Path,
        args: &[&str],
        env: &[(&str, &str)],
    ) -> Result<Lintel, String> {
        let begun = Instant::now();
        let mut child = program_in(&dir, program)
            .args(args)
            .envs(env.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let output = Arc::new(Mutex::new(String::new()));
        collect(child.stdout.take().unwrap(), output.clone());
        collect(child.stderr.take().unwrap(), output.clone());
        let said = || {
            output
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone()
        };
        let ready = within(PATIENCE, || match child.try_wait().unwrap() {
            Some(_) => Some(None),
            None => ready_line(&said()).map(Some),
        });
        match ready.flatten() {
            Some((addr, admin)) => Ok(Lintel {
                child,
                addr,
                admin,
                dir,
                ready_in: begun.elapsed(),
                output,
                heirs: Vec::new(),
            }),
            None => {
                let _ = child.kill();
                let status = child.wait().unwrap();
                // The pipes may hold more than the readers have taken.
                let _ = within(Duration::from_millis(500), || {
                    (Arc::strong_count(&output) == 1).then_some(())
                });
                Err(format!("{status}: {}", said()))
            }
        }
    }

    /// Writes `lintel.yaml` and the prices that it names.
    pub(crate) fn write_config(dir: &Temp, config: &Config) {
        let yaml = config.yaml(&dir.path().join("store"));
        std::fs::write(dir.path().join("lintel.yaml"), yaml).unwrap();
        std::fs::write(dir.path().join("prices.yaml"), PRICES).unwrap();
    }

    /// A new connection to the data listener.
    pub(crate) fn connect(&self) -> Client {
        Client::connect(self.addr)
    }

    /// Runs a verb of the command line against this process; its standard output. Panics when it fails.
    pub(crate) fn cli(&self, args: &[&str]) -> String {
        let out = self.try_cli(args);
        let (stdout, stderr) = (
            String::from_utf8_lossy(&out.stdout),
            String::from_utf8_lossy(&out.stderr),
        );
        assert!(
            out.status.success(),
            "lintel {args:?}: {}\n{stdout}{stderr}",
            out.status
        );
        stdout.into_owned()
    }

    /// Runs a verb of the command line against this process.
    pub(crate) fn try_cli(&self, args: &[&str]) -> Output {
        self.command().args(args).output().unwrap()
    }

    /// The command line, pointed at this process.
    pub(crate) fn command(&self) -> Command {
        let mut command = command(&self.dir);
        command.env("LINTEL_ADMIN_URL", format!("http://{}", self.admin));
        command
    }

    /// Runs a verb of the command line against the admin listener at `url`.
    pub(crate) fn cli_at(&self, url: &str, args: &[&str]) -> Output {
        command(&self.dir)
            .args(args)
            .env("LINTEL_ADMIN_URL", url)
            .output()
            .unwrap()
    }

    /// Creates a key for tenant `acme`, project `search`, with `more` arguments.
    pub(crate) fn key(&self, more: &[&str]) -> Key {
        self.key_of("acme", more)
    }

    /// Creates a key for `tenant`, project `search`, with `more` arguments.
    pub(crate) fn key_of(&self, tenant: &str, more: &[&str]) -> Key {
        let mut args = vec![
            "key",
            "create",
            "--tenant",
            tenant,
            "--project",
            "search",
            "--json",
        ];
        args.extend(more);
        let json: serde_json::Value = serde_json::from_str(&self.cli(&args)).unwrap();
        Key {
            id: json["id"].as_str().unwrap().to_owned(),
            secret: json["key"].as_str().unwrap().to_owned(),
        }
    }

    /// Asks the admin listener with its token.
    pub(crate) fn ask(&self, method: &str, path: &str) -> crate::harness::client::Reply {
        let request = Request::new(method, path)
            .header("authorization", &format!("Bearer {ADMIN_TOKEN}"))
            .header("connection", "close");
        Client::connect(self.admin).call(&request)
    }

    /// The process that serves.
    pub(crate) fn pid(&self) -> u32 {
        self.heirs.last().copied().unwrap_or(self.child.id())
    }

    /// Sends a signal by its name, `TERM` or `HUP`, to the process that serves.
    pub(crate) fn signal(&self, name: &str) {
        assert!(signalled(self.pid(), name));
    }

    /// Has it replaced by a new process, which serves from then on; what the command line said, if it was not.
    pub(crate) fn upgrade(&mut self) -> Result<(), String> {
        let out = self.try_cli(&["upgrade", "--store", "store", "--json"]);
        if !out.status.success() {
            return Err(String::from_utf8_lossy(&out.stderr).into_owned());
        }
        let json: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
        assert_eq!(json["old"], self.pid());
        self.heirs.push(json["new"].as_u64().unwrap() as u32);
        Ok(())
    }

    /// Waits until process `pid`, which took over once, has ended.
    pub(crate) fn gone(&self, pid: u32) {
        let stat = || std::fs::read_to_string(format!("/proc/{pid}/stat"));
        let over = || stat().map_or(true, |s| s.rsplit(") ").next().unwrap().starts_with('Z'));
        within(PATIENCE, || over().then_some(()))
            .unwrap_or_else(|| panic!("{pid} still runs:\n{}", self.output()));
    }

    /// Kills it as `kill -9` does, and waits until it is gone.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Waits until it has ended by itself.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        within(PATIENCE, || self.child.try_wait().unwrap())
            .unwrap_or_else(|| panic!("still running:\n{}", self.output()))
    }

    /// Stops it by SIGTERM and asserts that it says nothing is wrong.
    pub(crate) fn stop(&mut self) {
        self.signal("TERM");
        let status = self.ended();
        assert!(
            status.success(),
            "stopped with {status}:\n{}",
            self.output()
        );
    }

    /// All that it has written so far, standard output and error together.
    pub(crate) fn output(&self) -> String {
        self.output
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Lets go of what it has written so far, but for its ready line: a long run would hold it all.
    pub(crate) fn forget_output(&self) {
        let mut said = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        *said = said
            .lines()
            .filter(|l| l.contains("listening on"))
            .map(|l| format!("{l}\n"))
            .collect();
    }

    /// The log's lines about calls.
    pub(crate) fn call_lines(&self) -> Vec<serde_json::Value> {
        let said = self.output();
        let lines = said.lines().filter(|l| l.starts_with('{'));
        let read = |l| serde_json::from_str(l).unwrap_or_else(|e| panic!("{e}: {l}"));
        lines
            .map(read)
            .filter(|l: &serde_json::Value| l["msg"] == "call")
            .collect()
    }

    /// Resident memory, in bytes.
    pub(crate) fn resident(&self) -> u64 {
        self.status_of("VmRSS:") * 1024
    }

    /// Threads.
    pub(crate) fn threads(&self) -> u64 {
        self.status_of("Threads:")
    }

    /// Open files, sockets included.
    pub(crate) fn files(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.child.id())).map_or(0, Iterator::count)
    }

    fn status_of(&self, name: &str) -> u64 {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = text.lines().find_map(|l| l.strip_prefix(name)).unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    }
}

impl Drop for Lintel {
    fn drop(&mut self) {
        self.kill();
        for heir in &self.heirs {
            let _ = signalled(*heir, "KILL");
        }
        if std::thread::panicking() {
            let said = self.output();
            let from = said.char_indices().rev().nth(4_000).map_or(0, |(at, _)| at);
            eprintln!("--- the process said (its end):\n{}", &said[from..]);
        }
    }
}

/// Sends a signal by its name; whether there was a process to get it.
pub(crate) fn signalled(pid: u32, name: &str) -> bool {
    let kill = Command::new("sh")
        .arg("-c")
        .arg(format!("kill -{name} {pid}"))
        .stderr(Stdio::null())
        .status();
    kill.unwrap().success()
}

/// The binary in `dir`, with nothing in its environment but what the tests say.
pub(crate) fn command(dir: &Temp) -> Command {
    program_in(dir, &binary())
}

/// The binary under test. A soak and a measurement want the release binary.
pub(crate) fn binary() -> PathBuf {
    let built = env!("CARGO_BIN_EXE_lintel");
    std::env::var_os("LINTEL_BINARY")
        .unwrap_or_else(|| built.into())
        .into()
}

fn program_in(dir: &Temp, program: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(dir.path()).env_clear();
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    command
        .env("LINTEL_ADMIN_TOKEN", ADMIN_TOKEN)
        .env("TEST_UPSTREAM_KEY", UPSTREAM_SECRET)
        .stdin(Stdio::null());
    command
}

fn collect(pipe: impl Read + Send + 'static, into: Arc<Mutex<String>>) {
    std::thread::spawn(move || {
        let mut pipe = BufReader::new(pipe);
        let mut line = Vec::new();
        while pipe.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
            into.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push_str(&String::from_utf8_lossy(&line));
            line.clear();
        }
    });
}

/// `listening on http://A (admin http://B)`
fn ready_line(said: &str) -> Option<(SocketAddr, SocketAddr)> {
    let line = said
        .lines()
        .find_map(|l| l.split_once("listening on http").map(|(_, rest)| rest))?;
    let (data, rest) = line.split_once(" (admin ")?;
    let (_, data) = data.split_once("://")?;
    // A socket file has no address; whoever uses one knows where it is.
    let nowhere = SocketAddr::from(([0, 0, 0, 0], 0));
    let admin = match rest.split(')').next()?.split_once("://") {
        Some((_, admin)) => admin.parse().ok()?,
        None => nowhere,
    };
    Some((data.parse().ok()?, admin))
}
