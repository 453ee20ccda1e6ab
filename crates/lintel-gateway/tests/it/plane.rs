//! A data plane on port 0, with everything real but the provider, which is the sandbox.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use lintel_config::Snapshot;
use lintel_gateway::{
    Deps, Drain, KeyEntry, Resolve, Running, Standing, Step, SystemClock, SystemResolver, start,
};
use lintel_store::{Journal, JournalOptions, Projection, Queries, SettledSink};
use lintel_telemetry::{Level, LineReader, Metrics};
use lintel_types::{
    Caps, Clock as _, NodeId, Orphaned, Principal, PrincipalKind, RouteAccess, Settled,
};
use sha2::{Digest as _, Sha256};

pub(crate) const KEY: &str = "lk_test";
/// Longest that any single wait in these tests may take.
const PATIENCE: Duration = Duration::from_secs(20);

const CONFIG: &str = r#"
listen: 127.0.0.1:0
providers:
  sandbox: { protocol: sandbox }
routes:
  sandbox:
    tiers: [ { targets: [ { provider: sandbox, model: sandbox } ] } ]
  slow:
    tiers: [ { targets: [ { provider: sandbox, model: sandbox-n200-i20 } ] } ]
  late:
    attempts: 1
    tiers: [ { targets: [ { provider: sandbox, model: sandbox-d5000 } ] } ]
  drained:
    on_disconnect: { drain: 10s }
    tiers: [ { targets: [ { provider: sandbox, model: sandbox-n20-i10 } ] } ]
  torn:
    tiers: [ { targets: [ { provider: sandbox, model: sandbox-n20-torn5 } ] } ]
  silent:
    idle: 200ms
    tiers: [ { targets: [ { provider: sandbox, model: sandbox-n20-stall5 } ] } ]
"#;

pub(crate) struct Plane {
    pub(crate) running: Option<Running>,
    pub(crate) metrics: Metrics,
    projection: Option<Projection>,
    rows: Rows,
    lines: LineReader,
    dir: tempfile::TempDir,
}

#[derive(Clone, Default)]
struct Rows(Arc<Mutex<Vec<Settled>>>);

impl SettledSink for Rows {
    fn settled(&mut self, record: &Settled) {
        self.0.lock().unwrap().push(record.clone());
    }

    fn orphaned(&mut self, _record: &Orphaned) {}
}

/// Stops within `bound`, as nobody's predecessor.
pub(crate) fn within(bound: Duration) -> Drain {
    Drain {
        delay: Duration::ZERO,
        bound,
        handed_over: false,
    }
}

impl Plane {
    pub(crate) fn start(probe: Option<Arc<dyn Fn(Step) + Send + Sync>>) -> Self {
        Self::with(load(CONFIG), probe)
    }

    pub(crate) fn with(snapshot: Snapshot, probe: Option<Arc<dyn Fn(Step) + Send + Sync>>) -> Self {
        Self::resolving(snapshot, probe, Arc::new(SystemResolver))
    }

    /// With names of the test's own.
    pub(crate) fn resolving(
        snapshot: Snapshot,
        probe: Option<Arc<dyn Fn(Step) + Send + Sync>>,
        resolve: Arc<dyn Resolve>,
    ) -> Self {
        Self::assemble(snapshot, probe, resolve, (SystemClock::new(), key()))
    }

    /// By this clock, for this key.
    pub(crate) fn timed(snapshot: Snapshot, clock: SystemClock, key: KeyEntry) -> Self {
        Self::assemble(snapshot, None, Arc::new(SystemResolver), (clock, key))
    }

    fn assemble(
        snapshot: Snapshot,
        probe: Option<Arc<dyn Fn(Step) + Send + Sync>>,
        resolve: Arc<dyn Resolve>,
        (clock, key): (SystemClock, KeyEntry),
    ) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let now = clock.wall();
        let (journal, _) = Journal::open(dir.path(), JournalOptions::new(NodeId(0)), now).unwrap();
        let rows = Rows::default();
        let sinks: Vec<Box<dyn SettledSink>> = vec![Box::new(rows.clone())];
        let projection = Projection::start(dir.path(), journal.clone(), sinks).unwrap();
        let metrics = Metrics::default();
        let (lines, reader) = metrics.lines(1_000, Level::Warn);
        let deps = Deps {
            listener: std::net::TcpListener::bind(snapshot.listen).unwrap(),
            snapshot: Arc::new(snapshot),
            keys: vec![key],
            queries: None,
            journal,
            metrics: metrics.clone(),
            lines,
            threads: 1,
            clock,
            resolve,
            probe,
        };
        let running = start(deps).unwrap();
        running.serve();
        Self {
            running: Some(running),
            metrics,
            projection: Some(projection),
            rows,
            lines: reader,
            dir,
        }
    }

    /// Sends a call and gives the connection, answer unread.
    pub(crate) fn send(&self, model: &str, stream: bool) -> TcpStream {
        let body = format!(
            r#"{{"model":"{model}","stream":{stream},"messages":[{{"role":"user","content":"hello"}}]}}"#
        );
        let head = format!(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        let address = self.running.as_ref().unwrap().local_addr;
        let mut connection = TcpStream::connect(address).unwrap();
        connection.set_read_timeout(Some(PATIENCE)).unwrap();
        connection.write_all(head.as_bytes()).unwrap();
        connection.write_all(body.as_bytes()).unwrap();
        connection
    }

    /// Sends a call and reads the whole answer.
    pub(crate) fn call(&self, model: &str, stream: bool) -> String {
        let mut answer = String::new();
        let _ = self.send(model, stream).read_to_string(&mut answer);
        answer
    }

    /// The log's lines since the last look, but those of calls.
    pub(crate) fn log(&self) -> String {
        let lines = std::iter::from_fn(|| self.lines.waiting_line());
        let lines = lines.map(|line| String::from_utf8(line).unwrap());
        lines
            .filter(|line| !line.contains(r#""msg":"call""#))
            .collect()
    }

    /// What is on file.
    pub(crate) fn queries(&self) -> Queries {
        Queries::open(self.dir.path()).unwrap()
    }

    /// The rows so far, once there are `count` and nothing is under way.
    pub(crate) fn rows(&self, count: usize) -> Vec<Settled> {
        let until = Instant::now() + PATIENCE;
        loop {
            self.projection.as_ref().unwrap().flush();
            let rows = self.rows.0.lock().unwrap().clone();
            let busy = self
                .running
                .as_ref()
                .is_some_and(|r| r.handle.status().in_flight > 0);
            if rows.len() >= count && !busy {
                assert_eq!(rows.len(), count, "settled more than once: {rows:#?}");
                return rows;
            }
            assert!(Instant::now() < until, "{} of {count} rows", rows.len());
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Plane {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.drain(within(Duration::ZERO), &|| true);
        }
        if let Some(projection) = self.projection.take() {
            projection.stop();
        }
    }
}

/// A configuration without environment or files.
pub(crate) fn load(text: &str) -> Snapshot {
    load_with(text, &[])
}

/// A configuration with variables.
pub(crate) fn load_with(text: &str, env: &[(&str, &str)]) -> Snapshot {
    let read = |_: &std::path::Path| Err(std::io::Error::other("no files here"));
    let found = |name: &str| env.iter().find(|(n, _)| *n == name);
    let env = |name: &str| found(name).map(|(_, value)| (*value).to_owned());
    let loaded = lintel_config::load(text, "test.yaml", &env, &read);
    loaded.unwrap().snapshot
}

/// A configuration with these files and no environment.
pub(crate) fn load_files(text: &str, files: &[(&str, &str)]) -> Snapshot {
    let read = |path: &std::path::Path| {
        let found = files.iter().find(|(name, _)| path.to_str() == Some(name));
        found
            .map(|(_, text)| (*text).to_owned())
            .ok_or_else(|| std::io::Error::other("no such file here"))
    };
    let loaded = lintel_config::load(text, "test.yaml", &|_| None, &read);
    loaded.unwrap().snapshot
}

/// The configuration of these tests, with more sections.
pub(crate) fn config(more: &str) -> String {
    format!("{CONFIG}{more}")
}

/// Reads until the answer so far holds `text`.
pub(crate) fn read_until(connection: &mut TcpStream, text: &str) -> String {
    let mut all = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let n = connection.read(&mut piece).unwrap();
        assert!(
            n > 0,
            "ended before {text:?}: {}",
            String::from_utf8_lossy(&all)
        );
        all.extend_from_slice(&piece[..n]);
        let so_far = String::from_utf8_lossy(&all);
        if so_far.contains(text) {
            return so_far.into_owned();
        }
    }
}

/// The key of these tests.
pub(crate) fn key() -> KeyEntry {
    let principal = Principal {
        kind: PrincipalKind::Key,
        key: "key_test".into(),
        tenant: "acme".into(),
        project: "search".into(),
        routes: RouteAccess::All,
        direct: true,
        expose_targets: false,
        expires: None,
        caps: Caps::default(),
    };
    KeyEntry {
        hash: Sha256::digest(KEY).into(),
        principal,
        standing: Standing::Active,
        ends: None,
        used: None,
    }
}
