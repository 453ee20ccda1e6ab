//! Where the listening sockets come from: inherited from whoever started the process, or bound here.
//!
//! Inherited means `LISTEN_FDS` as systemd's socket activation passes it, `sd_listen_fds(3)`
//! <https://www.freedesktop.org/software/systemd/man/latest/sd_listen_fds.html>: sockets from descriptor 3 on, named
//! in `LISTEN_FDNAMES`. `data` takes calls, `admin` control requests. What is inherited goes before the configuration's
//! address, and a difference is told. Knows no protocol. Invariant: a descriptor that nothing here can use is refused.

use std::fmt::Display;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::{UnixListener, UnixStream};

use lintel_admin::port::{Port, SocketFile};
use lintel_config::{AdminAddress, Snapshot};
use listenfd::ListenFd;

use crate::exit::Failure;

/// The name of the data listener's socket.
pub(crate) const DATA: &str = "data";
/// The name of the admin listener's socket.
pub(crate) const ADMIN: &str = "admin";
/// The name of the line to the process that is to be taken over from (`serve/upgrade.rs`).
pub(crate) const UPGRADE: &str = "upgrade";
/// `AF_UNIX` and `SOCK_STREAM`, the same on every system that there are builds for.
const UNIX_STREAM: (i32, i32) = (1, 1);
/// What systemd calls a socket whose unit gives it no name.
const UNNAMED: &str = "unknown";

/// The sockets that the process was started with.
#[derive(Debug, Default)]
pub(crate) struct Inherited {
    data: Option<TcpListener>,
    admin: Option<AdminSocket>,
    /// The line to the process before, when this one is to take over from it.
    pub(crate) upgrade: Option<UnixStream>,
}

/// An inherited socket for control requests.
#[derive(Debug)]
enum AdminSocket {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// The sockets that the process listens on.
#[derive(Debug)]
pub(crate) struct Listeners {
    /// For calls.
    pub(crate) data: TcpListener,
    /// For control requests.
    pub(crate) admin: Port,
    /// Where an inherited socket is not at the address that the configuration names.
    pub(crate) told: Vec<String>,
}

impl Inherited {
    /// Takes what was passed down. Once, before any thread is started: it changes the environment.
    ///
    /// # Errors
    /// When a descriptor has a name that is not known, comes twice, or is no listening socket of its place's kind.
    pub(crate) fn take() -> Result<Self, Failure> {
        let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
        let mut passed = ListenFd::from_env();
        let mut inherited = Self::default();
        for (index, name) in names_of(&names, passed.len()).into_iter().enumerate() {
            let unusable = |error: io::Error| refused(&name, &format!("can't be used: {error}"));
            if name == UPGRADE {
                let (family, kind) = UNIX_STREAM;
                inherited.upgrade = passed
                    .take_custom(index, family, kind, "unix stream")
                    .map_err(unusable)?;
                continue;
            }
            let taken = match name.as_str() {
                DATA => inherited.data.is_some(),
                ADMIN => inherited.admin.is_some(),
                _ => return Err(refused(&name, "is not known")),
            };
            if taken {
                return Err(refused(&name, "comes twice"));
            }
            if name == DATA {
                inherited.data = passed.take_tcp_listener(index).map_err(unusable)?;
                continue;
            }
            // What a socket of the other kind is refused with says nothing: the second attempt tells.
            inherited.admin = match passed.take_tcp_listener(index) {
                Ok(socket) => socket.map(AdminSocket::Tcp),
                Err(_) => passed
                    .take_unix_listener(index)
                    .map_err(unusable)?
                    .map(AdminSocket::Unix),
            };
        }
        Ok(inherited)
    }
}

/// The name of each of `count` descriptors. One that is alone and unnamed is the data listener's.
fn names_of(names: &str, count: usize) -> Vec<String> {
    let mut named: Vec<String> = names
        .split(':')
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect();
    named.resize(count, UNNAMED.to_owned());
    if let [only] = named.as_mut_slice()
        && (only == UNNAMED || only.ends_with(".socket"))
    {
        DATA.clone_into(only);
    }
    named
}

fn refused(name: &str, why: &str) -> Failure {
    Failure::failed(format!(
        "the inherited socket `{name}` (LISTEN_FDS) {why}: pass one listening TCP socket called `{DATA}` and at most one, TCP or a socket file's, called `{ADMIN}` \
         (FileDescriptorName= in a systemd socket unit)"
    ))
}

impl Listeners {
    /// What is inherited; the rest is bound at the configuration's addresses.
    ///
    /// # Errors
    /// When an address can't be listened on.
    pub(crate) fn open(inherited: Inherited, snapshot: &Snapshot) -> Result<Self, Failure> {
        let mut told = Vec::new();
        let data = one(inherited.data, snapshot.listen, "listen", &mut told)?;
        let admin = match inherited.admin {
            Some(socket) => admin_port(socket, &snapshot.admin, &mut told)?,
            None => Port::bind(&snapshot.admin)
                .map_err(|error| unusable(&snapshot.admin, "admin.listen", &error))?,
        };
        Ok(Self { data, admin, told })
    }
}

/// The admin listener on an inherited socket.
fn admin_port(
    socket: AdminSocket,
    configured: &AdminAddress,
    told: &mut Vec<String>,
) -> Result<Port, Failure> {
    let failed = |error: io::Error| unusable(configured, "admin.listen", &error);
    let port = match socket {
        AdminSocket::Tcp(socket) => Port::Tcp(socket),
        AdminSocket::Unix(socket) => {
            let at = socket.local_addr().map_err(failed)?;
            let path = at
                .as_pathname()
                .ok_or_else(|| refused(ADMIN, "has no file, so that nobody could name it"))?;
            let file = SocketFile::at(path).map_err(failed)?;
            Port::Unix(socket, file)
        }
    };
    let at = port.address().map_err(failed)?;
    if at != *configured {
        told.push(differs("admin.listen", configured, &at));
    }
    Ok(port)
}

fn one(
    inherited: Option<TcpListener>,
    address: SocketAddr,
    setting: &str,
    told: &mut Vec<String>,
) -> Result<TcpListener, Failure> {
    let failed = |error: io::Error| unusable(&address, setting, &error);
    let Some(socket) = inherited else {
        return TcpListener::bind(address).map_err(failed);
    };
    let at = socket.local_addr().map_err(failed)?;
    if at != address {
        told.push(differs(setting, &address, &at));
    }
    Ok(socket)
}

fn unusable(address: &dyn Display, setting: &str, error: &io::Error) -> Failure {
    Failure::failed(format!(
        "can't listen on {address}: {error}; choose another `{setting}` address, or stop what holds it"
    ))
}

fn differs(setting: &str, configured: &dyn Display, at: &dyn Display) -> String {
    format!(
        "`{setting}` is {configured}, but the process was started with a socket that listens on {at}, which is used"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loopback() -> TcpListener {
        TcpListener::bind("127.0.0.1:0").unwrap()
    }

    #[test]
    fn descriptors_have_the_names_of_their_places() {
        let check = |names: &str, count, wanted: &[&str]| {
            assert_eq!(names_of(names, count), wanted, "{names} of {count}");
        };
        check("data:admin", 2, &[DATA, ADMIN]);
        check("admin", 1, &[ADMIN]);
        check("", 0, &[]);
        check("", 1, &[DATA]);
        check("unknown", 1, &[DATA]);
        check("lintel.socket", 1, &[DATA]);
        check("data", 2, &[DATA, UNNAMED]);
    }

    #[test]
    fn an_inherited_socket_goes_before_the_address_and_a_difference_is_told() {
        let mut snapshot = lintel_config::defaults(&|_| None).unwrap().snapshot;
        let (data, admin) = (loopback(), loopback());
        let (data_at, admin_at) = (data.local_addr().unwrap(), admin.local_addr().unwrap());
        snapshot.listen = data_at;
        let inherited = Inherited {
            data: Some(data),
            admin: Some(AdminSocket::Tcp(admin)),
            upgrade: None,
        };
        let listeners = Listeners::open(inherited, &snapshot).unwrap();
        assert_eq!(listeners.data.local_addr().unwrap(), data_at);
        assert_eq!(
            listeners.admin.address().unwrap(),
            AdminAddress::Tcp(admin_at)
        );
        assert_eq!(listeners.told.len(), 1, "{:?}", listeners.told);
        assert!(
            listeners.told[0].contains("admin.listen"),
            "{:?}",
            listeners.told
        );
    }

    #[test]
    fn an_address_in_use_is_told_with_its_setting() {
        let mut snapshot = lintel_config::defaults(&|_| None).unwrap().snapshot;
        let held = loopback();
        snapshot.listen = held.local_addr().unwrap();
        let refused = Listeners::open(Inherited::default(), &snapshot).unwrap_err();
        assert!(refused.text.contains("`listen`"), "{refused}");
    }
}
