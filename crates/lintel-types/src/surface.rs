//! The wire protocols that clients and providers speak, by name. Which ones exist is decided where they
//! are implemented: each in one file, and in one list.

use std::fmt;

use serde::{Serialize, Serializer};

/// A provider's protocol.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Protocol(&'static str);

impl Protocol {
    /// The protocol called `name` in configuration.
    pub const fn new(name: &'static str) -> Self {
        Self(name)
    }

    /// The name in configuration.
    pub const fn name(self) -> &'static str {
        self.0
    }
}

impl fmt::Debug for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Serialize for Protocol {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.0)
    }
}

/// A client-facing operation of a protocol.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Surface {
    name: &'static str,
    protocol: Protocol,
}

impl Surface {
    /// The surface called `name` in JSON, logs and metrics, in the dialect of `protocol`.
    pub const fn new(name: &'static str, protocol: Protocol) -> Self {
        Self { name, protocol }
    }

    /// The name in JSON, logs and metrics.
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// The protocol whose dialect the client speaks.
    pub const fn protocol(self) -> Protocol {
        self.protocol
    }
}

impl fmt::Debug for Surface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}
