//! An address to listen at, as written: an IP address and a port. Names are refused, because what they
//! resolve to may be off loopback.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// `format` of an address in the JSON Schema.
pub(crate) const ADDRESS_FORMAT: &str = "lintel-address";

/// An IP address and a port: `127.0.0.1:8080`, `[::1]:8080`. Port 0 lets the system choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address(pub SocketAddr);

/// A text that is no address to listen at.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not an address: write an IP address and a port, such as 127.0.0.1:8080 or 0.0.0.0:8080"
)]
pub struct NotAnAddress(String);

impl Address {
    /// Where the data listener is by default.
    pub(crate) fn data() -> Self {
        Self(SocketAddr::from(([127, 0, 0, 1], 8080)))
    }

    /// Where the admin listener is by default.
    pub(crate) fn admin() -> Self {
        Self(SocketAddr::from(([127, 0, 0, 1], 8081)))
    }
}

impl FromStr for Address {
    type Err = NotAnAddress;
    fn from_str(text: &str) -> Result<Self, NotAnAddress> {
        text.parse()
            .map(Self)
            .map_err(|_| NotAnAddress(text.to_owned()))
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Cow::<str>::deserialize(d)?
            .parse()
            .map_err(de::Error::custom)
    }
}

impl JsonSchema for Address {
    fn schema_name() -> Cow<'static, str> {
        "Address".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": ADDRESS_FORMAT, "description": "An IP address and a port." })
    }
}
