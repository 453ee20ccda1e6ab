//! An address to listen at, as written: an IP address and a port, or a socket file. Names are refused, because what they
//! resolve to may be off loopback.

use std::borrow::Cow;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// `format` of an address in the JSON Schema.
pub(crate) const ADDRESS_FORMAT: &str = "lintel-address";
/// `format` of the admin listener's address.
pub(crate) const ADMIN_ADDRESS_FORMAT: &str = "lintel-admin-address";
/// What a socket file's path follows.
const UNIX: &str = "unix:";
/// The kernel takes no longer path (`sun_path`, unix(7)), its ending zero included.
const LONGEST_PATH: usize = 107;

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

/// Where the admin listener is: an address, or a socket file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AdminAddress {
    /// An IP address and a port.
    Tcp(SocketAddr),
    /// A socket file: `unix:/run/lintel/admin.sock`.
    Unix(PathBuf),
}

/// A text that is no address of an admin listener.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAnAdminAddress {
    /// Neither an address nor a socket file.
    #[error(
        "`{0}` is not an address: write an IP address and a port, such as 127.0.0.1:8081, or a socket file, such as unix:/run/lintel/admin.sock"
    )]
    Neither(String),
    /// The path can't be a socket's.
    #[error(
        "`{0}` can't be a socket file: write an absolute path of at most {LONGEST_PATH} bytes, such as unix:/run/lintel/admin.sock"
    )]
    Path(String),
}

impl AdminAddress {
    /// Whether only this machine reaches it.
    pub fn is_local(&self) -> bool {
        match self {
            AdminAddress::Tcp(address) => address.ip().is_loopback(),
            AdminAddress::Unix(_) => true,
        }
    }
}

impl Default for AdminAddress {
    fn default() -> Self {
        Self::Tcp(SocketAddr::from(([127, 0, 0, 1], 8081)))
    }
}

impl fmt::Display for AdminAddress {
    /// As it is written.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AdminAddress::Tcp(address) => address.fmt(f),
            AdminAddress::Unix(path) => write!(f, "{UNIX}{}", path.display()),
        }
    }
}

impl FromStr for AdminAddress {
    type Err = NotAnAdminAddress;
    fn from_str(text: &str) -> Result<Self, NotAnAdminAddress> {
        let Some(path) = text.strip_prefix(UNIX) else {
            let parsed = text.parse().map(Self::Tcp);
            return parsed.map_err(|_| NotAnAdminAddress::Neither(text.to_owned()));
        };
        let fits = path.starts_with('/') && !path.ends_with('/') && path.len() <= LONGEST_PATH;
        if !fits || path.contains('\0') {
            return Err(NotAnAdminAddress::Path(text.to_owned()));
        }
        Ok(Self::Unix(PathBuf::from(path)))
    }
}

impl Serialize for AdminAddress {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for AdminAddress {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Cow::<str>::deserialize(d)?
            .parse()
            .map_err(de::Error::custom)
    }
}

impl JsonSchema for AdminAddress {
    fn schema_name() -> Cow<'static, str> {
        "AdminAddress".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": ADMIN_ADDRESS_FORMAT, "description": "An IP address and a port, or `unix:` and the path of a socket file." })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_admin_address_is_tcp_or_a_socket_file() {
        for text in ["127.0.0.1:8081", "[::1]:0", "unix:/run/lintel/admin.sock"] {
            let address: AdminAddress = text.parse().unwrap();
            assert_eq!(address.to_string(), text);
            assert!(address.is_local(), "{text}");
        }
        assert!(!"[::]:8081".parse::<AdminAddress>().unwrap().is_local());
        let long = format!("unix:/{}", "a".repeat(LONGEST_PATH));
        for text in [
            "",
            "localhost:1",
            "unix:",
            "unix:relative",
            "unix:/dir/",
            &long,
        ] {
            assert!(text.parse::<AdminAddress>().is_err(), "{text}");
        }
    }
}
