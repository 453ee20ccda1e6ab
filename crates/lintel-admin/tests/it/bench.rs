//! What a test holds: a store in a directory of its own, a remembered data plane, and the router around them.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use lintel_admin::{AdminToken, DataPlane, Deps, Fault, Kept, Keyring, Reload, Reloaded, router};
use lintel_config::Snapshot;
use lintel_gateway::{KeyEntry, Status};
use lintel_store::{
    BackupDeps, Backups, Control, Journal, JournalOptions, Projection, Queries, Retention, Store,
    Upkeep,
};
use lintel_telemetry::{Level, LineReader, Metrics};
use lintel_types::{Clock, Mono, NodeId, Timestamp};
use serde_json::Value;
use tower::ServiceExt;

pub(crate) const TOKEN: &str = "at_0123456789abcdef";

/// Time that stands still until it is moved.
#[derive(Default)]
pub(crate) struct HeldClock(AtomicU64);

impl HeldClock {
    pub(crate) fn advance(&self, by: Duration) {
        self.0.fetch_add(by.as_micros() as u64, Ordering::Relaxed);
    }
}

impl Clock for HeldClock {
    fn wall(&self) -> Timestamp {
        Timestamp::from_micros(1_795_505_533_000_000).plus(self.mono().0)
    }
    fn mono(&self) -> Mono {
        Mono(Duration::from_micros(self.0.load(Ordering::Relaxed)))
    }
}

/// A data plane that remembers.
pub(crate) struct Plane {
    pub(crate) keys: Mutex<Vec<KeyEntry>>,
    pub(crate) status: Mutex<Status>,
    pub(crate) snapshot: Mutex<Arc<Snapshot>>,
}

impl DataPlane for Plane {
    fn keys_used(&self) -> Vec<([u8; 32], Timestamp)> {
        Vec::new()
    }

    fn calls_of(&self, _: &str) -> usize {
        0
    }

    fn set_keys(&self, keys: Vec<KeyEntry>) {
        *self.keys.lock().unwrap() = keys;
    }
    fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshot.lock().unwrap())
    }
    fn status(&self) -> Status {
        self.status.lock().unwrap().clone()
    }
}

/// A configuration that reads as the test says.
pub(crate) struct Script(pub(crate) Mutex<Result<Reloaded, Kept>>);

impl Reload for Script {
    fn refused(&self) -> Option<lintel_admin::Refused> {
        None
    }

    fn reload(&self, _actor: &str) -> Result<Reloaded, Kept> {
        self.0.lock().unwrap().clone()
    }
}

pub(crate) struct Bench {
    pub(crate) plane: Arc<Plane>,
    pub(crate) clock: Arc<HeldClock>,
    pub(crate) control: Control,
    pub(crate) journal: Journal,
    pub(crate) script: Arc<Script>,
    pub(crate) projection: Arc<Projection>,
    /// What the API wrote to the log.
    pub(crate) lines: LineReader,
    router: Router,
    _store: Store,
    pub(crate) dir: PathBuf,
}

static MADE: AtomicU32 = AtomicU32::new(0);

impl Bench {
    pub(crate) fn new() -> Self {
        let dir = std::env::temp_dir().join(format!(
            "lintel-admin-{}-{}",
            std::process::id(),
            MADE.fetch_add(1, Ordering::Relaxed)
        ));
        let store = Store::open(&dir).unwrap();
        let clock = Arc::new(HeldClock::default());
        let control = Control::open(&dir, Arc::clone(&clock) as Arc<dyn Clock>).unwrap();
        let (journal, _) =
            Journal::open(&dir, JournalOptions::new(NodeId(0)), clock.wall()).unwrap();
        let projection = Arc::new(Projection::start(&dir, journal.clone(), Vec::new()).unwrap());
        let queries = Queries::open(&dir).unwrap();
        let snapshot = Arc::new(lintel_config::defaults(&|_| None).unwrap().snapshot);
        let status = Status {
            ready: true,
            draining: false,
            in_flight: 3,
            reason: None,
        };
        let plane = Arc::new(Plane {
            keys: Mutex::default(),
            status: Mutex::new(status),
            snapshot: Mutex::new(snapshot),
        });
        let metrics = Metrics::default();
        let (log, lines) = metrics.lines(64, Level::Info);
        let script = Arc::new(Script(Mutex::new(Err(Kept::Failed(
            "no configuration".into(),
        )))));
        let router = router(Deps {
            control: control.clone(),
            queries,
            journal: journal.clone(),
            projection: Arc::downgrade(&projection),
            backups: Arc::new(backups(&dir, &projection, &control, &clock)),
            upkeep: Arc::new(upkeep(&dir, &control, &clock)),
            plane: Arc::clone(&plane) as Arc<dyn DataPlane>,
            keyring: Arc::new(Keyring::new(
                control.clone(),
                Arc::clone(&plane) as Arc<dyn DataPlane>,
                Vec::new(),
            )),
            reload: Arc::clone(&script) as Arc<dyn Reload>,
            metrics,
            log,
            token: AdminToken::new("admin", TOKEN),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
        })
        .unwrap();
        Self {
            plane,
            clock,
            control,
            journal,
            script,
            projection,
            lines,
            router,
            _store: store,
            dir,
        }
    }

    /// Sends a request as it is.
    pub(crate) async fn send(&self, request: Request<Body>) -> Response<Body> {
        self.router.clone().oneshot(request).await.unwrap()
    }

    /// Sends a request with the token: status and JSON.
    pub(crate) async fn ask(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        self.ask_as(TOKEN, method, path, body).await
    }

    /// Makes a token and gives its text.
    pub(crate) async fn token(&self, name: &str, role: &str, tenant: Option<&str>) -> String {
        let body = serde_json::json!({"name": name, "role": role, "tenant": tenant});
        let (status, json) = self.ask("POST", "/api/v1/tokens", Some(body)).await;
        assert_eq!(status, 201, "{json}");
        json["token"].as_str().unwrap().to_owned()
    }

    /// Sends a request with `token`: status and JSON.
    pub(crate) async fn ask_as(
        &self,
        token: &str,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> (u16, Value) {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {token}"));
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let body = body.map_or_else(Body::empty, |json| Body::from(json.to_string()));
        read(self.send(request.body(body).unwrap()).await).await
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        self.ask("GET", path, None).await
    }

    /// Actions of the audit, oldest first.
    pub(crate) fn audit(&self) -> Vec<(String, String, String)> {
        let rows = self.control.audit(None, 100).unwrap();
        rows.into_iter()
            .rev()
            .map(|row| {
                (
                    row.entry.actor.to_string(),
                    row.entry.action.to_string(),
                    row.entry.object.to_string(),
                )
            })
            .collect()
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// Status and JSON of an answer; text that is no JSON comes as a string.
pub(crate) async fn read(response: Response<Body>) -> (u16, Value) {
    let status = response.status().as_u16();
    let bytes = axum::body::to_bytes(response.into_body(), 1 << 24)
        .await
        .unwrap();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    (
        status,
        serde_json::from_str(&text).unwrap_or(Value::String(text)),
    )
}

pub(crate) fn fault(line: usize) -> Fault {
    Fault {
        path: "routes.chat".into(),
        origin: "lintel.yaml".into(),
        line: Some(line),
        column: Some(1),
        message: "unknown key".into(),
        nearest: None,
    }
}

fn backups(
    dir: &std::path::Path,
    projection: &Arc<Projection>,
    control: &Control,
    clock: &Arc<HeldClock>,
) -> Backups {
    Backups::new(BackupDeps {
        store: dir.to_owned(),
        directory: dir.join("backups"),
        node: NodeId(0),
        lintel: "0.1.0".into(),
        projection: Arc::downgrade(projection),
        control: control.clone(),
        clock: Arc::clone(clock) as Arc<dyn Clock>,
        ended: Box::new(|_| {}),
    })
}

fn upkeep(dir: &std::path::Path, control: &Control, clock: &Arc<HeldClock>) -> Upkeep {
    let clock = Arc::clone(clock) as Arc<dyn Clock>;
    Upkeep::start(
        dir,
        Retention::default(),
        control.clone(),
        clock,
        Box::new(|_, _| {}),
    )
    .unwrap()
}
