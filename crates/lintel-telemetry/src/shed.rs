//! Why a call or a connection is refused to protect the process: the label of `lintel_shed_total`.

/// What had run out when a call or connection was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shed {
    /// As many exchanges are under way as are allowed.
    InFlight,
    /// As many body bytes are held as are allowed.
    InFlightBytes,
    /// The journal has no slot: it is full or can't be written.
    Journal,
    /// As many connections are open as are allowed.
    Connections,
    /// As many connections of one client address are open as are allowed.
    ConnectionsPerAddress,
    /// The process is about to stop.
    Draining,
    /// As many exchanges of one key are under way as it may have.
    Key,
}

impl Shed {
    /// Every reason.
    pub const ALL: [Shed; 7] = [
        Shed::InFlight,
        Shed::InFlightBytes,
        Shed::Journal,
        Shed::Connections,
        Shed::ConnectionsPerAddress,
        Shed::Draining,
        Shed::Key,
    ];

    /// The label.
    pub const fn name(self) -> &'static str {
        match self {
            Shed::InFlight => "in_flight",
            Shed::InFlightBytes => "in_flight_bytes",
            Shed::Journal => "journal",
            Shed::Connections => "connections",
            Shed::ConnectionsPerAddress => "connections_per_address",
            Shed::Draining => "draining",
            Shed::Key => "key",
        }
    }
}
