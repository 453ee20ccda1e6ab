//! Makes one call on one connection and enters the result into the tally.
//!
//! Raw sockets rather than an HTTP library: the load shares its core with the mock, and a heavier
//! client would leave the gateway unsaturated.

use std::cell::RefCell;
use std::rc::Rc;

use tokio::time::{Instant, timeout};

use crate::answer::Seen;
use crate::plan::Plan;
use crate::response::Response;
use crate::socket::{Connector, Socket};

/// Large enough for a plain answer in one read, small enough for ten thousand of them.
const READ: usize = 8 * 1024;

/// What all callers share.
pub(crate) struct Shared {
    /// What to do.
    pub(crate) plan: Plan,
    /// How connections are opened.
    pub(crate) connector: Connector,
    /// What has happened.
    pub(crate) tally: RefCell<crate::tally::Tally>,
    /// When the run began.
    pub(crate) began: Instant,
}

struct Connection {
    stream: Socket,
    response: Response,
    buffer: Box<[u8]>,
}

/// One caller: keeps its connection from call to call.
pub(crate) struct Caller {
    shared: Rc<Shared>,
    connection: Option<Connection>,
}

impl Caller {
    /// A caller without a connection yet.
    pub(crate) fn new(shared: Rc<Shared>) -> Self {
        Self {
            shared,
            connection: None,
        }
    }

    /// Makes one call whose latency counts from `from`. Says whether it went well.
    pub(crate) async fn call(&mut self, from: Instant) -> bool {
        let shared = Rc::clone(&self.shared);
        shared.tally.borrow_mut().begin();
        let result = timeout(shared.plan.timeout, self.attempt(from)).await;
        let mut tally = shared.tally.borrow_mut();
        tally.end();
        match result.unwrap_or_else(|_| Err("timeout".to_owned())) {
            Ok(()) => true,
            Err(name) => {
                self.connection = None;
                tally.error(name);
                false
            }
        }
    }

    async fn attempt(&mut self, from: Instant) -> Result<(), String> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        connection.response.restart();
        connection
            .stream
            .send(&self.shared.plan.request)
            .await
            .map_err(|e| format!("write: {}", e.kind()))?;
        let (seen, first) = self.read(&mut connection).await?;
        let done = Instant::now();
        seen.judge(connection.response.status(), &self.shared.plan.expected)?;
        if connection.response.keep_alive() {
            self.connection = Some(connection);
        }
        let mut tally = self.shared.tally.borrow_mut();
        tally.ok += 1;
        tally.bytes += seen.bytes;
        tally.events += seen.events;
        if from >= self.shared.began + self.shared.plan.skip {
            tally.first.add(first.unwrap_or(done) - from);
            tally.total.add(done - from);
        }
        Ok(())
    }

    async fn connect(&self) -> Result<Connection, String> {
        let address = self.shared.plan.address;
        let opened = self.shared.connector.open(address).await;
        let stream = opened.map_err(|e| format!("connect: {}", e.kind()))?;
        self.shared.tally.borrow_mut().connections += 1;
        Ok(Connection {
            stream,
            response: Response::new(),
            buffer: vec![0; READ].into_boxed_slice(),
        })
    }

    /// Reads the whole answer; also when its first content came (a comment that only holds the
    /// line open is not content).
    async fn read(&self, connection: &mut Connection) -> Result<(Seen, Option<Instant>), String> {
        let stream = self.shared.plan.expected.stream;
        let (mut seen, mut first) = (Seen::default(), None);
        while !connection.response.is_done() {
            let n = connection
                .stream
                .read(&mut connection.buffer)
                .await
                .map_err(|e| format!("read: {}", e.kind()))?;
            if n == 0 {
                connection.response.close()?;
                break;
            }
            let bytes = connection.buffer.get(..n).unwrap_or_default();
            connection.response.feed(bytes, &mut |body| {
                if stream {
                    seen.stream(body)
                } else {
                    seen.plain(body)
                }
            })?;
            let content = if stream { seen.events } else { seen.bytes };
            if first.is_none() && content > 0 {
                first = Some(Instant::now());
            }
        }
        Ok((seen, first))
    }
}
