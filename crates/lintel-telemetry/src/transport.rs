//! What happens on listeners before and beside calls: handshakes, and connections that Lintel ends.

use lintel_types::Timestamp;

use crate::metrics::Metrics;

/// Which listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listener {
    /// Takes calls.
    Data,
    /// Takes control requests.
    Admin,
}

impl Listener {
    /// Both.
    pub const ALL: [Listener; 2] = [Listener::Data, Listener::Admin];

    /// The label.
    pub const fn name(self) -> &'static str {
        match self {
            Listener::Data => "data",
            Listener::Admin => "admin",
        }
    }
}

/// How a TLS handshake with a client ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handshake {
    /// The connection is encrypted.
    Done,
    /// It took longer than `limits.header_timeout`.
    Timeout,
    /// The client went away: a port scan, or a health check that only connects.
    HungUp,
    /// What came is no TLS; most often plain HTTP.
    NotTls,
    /// No version, cipher suite or protocol is known to both sides.
    Incompatible,
    /// The client refused, most often because it doesn't trust the certificate.
    Refused,
    /// The client showed no certificate, or one that isn't good.
    ClientCertificate,
    /// The client broke the protocol.
    Broken,
}

impl Handshake {
    /// Every end.
    pub const ALL: [Handshake; 8] = [
        Handshake::Done,
        Handshake::Timeout,
        Handshake::HungUp,
        Handshake::NotTls,
        Handshake::Incompatible,
        Handshake::Refused,
        Handshake::ClientCertificate,
        Handshake::Broken,
    ];

    /// The label.
    pub const fn name(self) -> &'static str {
        match self {
            Handshake::Done => "done",
            Handshake::Timeout => "timeout",
            Handshake::HungUp => "hung_up",
            Handshake::NotTls => "not_tls",
            Handshake::Incompatible => "incompatible",
            Handshake::Refused => "refused",
            Handshake::ClientCertificate => "client_certificate",
            Handshake::Broken => "broken",
        }
    }
}

/// By which rule a connection, or a stream of one, was ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// No whole head within `limits.header_timeout`.
    HeaderTimeout,
    /// No call within `limits.idle_timeout`.
    Idle,
    /// The client didn't read for `limits.write_timeout`.
    WriteTimeout,
    /// The client called off most of its calls at once.
    Resets,
}

impl Cut {
    /// Every rule.
    pub const ALL: [Cut; 4] = [
        Cut::HeaderTimeout,
        Cut::Idle,
        Cut::WriteTimeout,
        Cut::Resets,
    ];

    /// The label.
    pub const fn name(self) -> &'static str {
        match self {
            Cut::HeaderTimeout => "header_timeout",
            Cut::Idle => "idle",
            Cut::WriteTimeout => "write_timeout",
            Cut::Resets => "resets",
        }
    }
}

impl Metrics {
    /// A handshake ended.
    pub fn handshake(&self, listener: Listener, how: Handshake) {
        let of = self.cells.handshakes.get(listener as usize);
        if let Some(counter) = of.and_then(|of| of.get(how as usize)) {
            counter.add(1);
        }
    }

    /// A connection, or a stream of one, was ended by a rule.
    pub fn cut(&self, rule: Cut) {
        if let Some(counter) = self.cells.cuts.get(rule as usize) {
            counter.add(1);
        }
    }

    /// Until when a listener's certificate holds; none: it has no certificate.
    pub fn certificate(&self, listener: Listener, holds_until: Option<Timestamp>) {
        if let Some(cell) = self.cells.certificates.lock().get_mut(listener as usize) {
            *cell = holds_until.map(Timestamp::as_secs);
        }
    }
}
