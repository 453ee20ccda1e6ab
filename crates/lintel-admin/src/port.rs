//! Where the admin listener listens: an address, or a socket file.
//!
//! A socket file is a door for whoever may open it: it has mode 0600 before anybody can connect. One that a dead process
//! left behind is replaced; one that somebody answers on, or a file that is no socket, is left alone and told. It is removed
//! at the stop, unless another process has put its own there meanwhile, or has taken this one over.

use std::fs::Permissions;
use std::io;
use std::net::TcpListener;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use lintel_config::AdminAddress;
use socket2::{Domain, SockAddr, Socket, Type};

/// Connections that wait to be accepted.
const BACKLOG: i32 = 128;

/// A bound admin listener.
#[derive(Debug)]
pub enum Port {
    /// At an address.
    Tcp(TcpListener),
    /// At a socket file.
    Unix(UnixListener, SocketFile),
}

impl Port {
    /// Listens at `address`.
    ///
    /// # Errors
    /// When the address is in use, or the file can't be made or isn't ours to replace.
    pub fn bind(address: &AdminAddress) -> io::Result<Self> {
        match address {
            AdminAddress::Tcp(address) => TcpListener::bind(address).map(Self::Tcp),
            AdminAddress::Unix(path) => {
                make_room(path)?;
                let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
                socket.bind(&SockAddr::unix(path)?)?;
                // Nobody can connect before it listens, and then only its owner.
                std::fs::set_permissions(path, Permissions::from_mode(0o600))?;
                socket.listen(BACKLOG)?;
                let file = SocketFile::at(path)?;
                Ok(Self::Unix(socket.into(), file))
            }
        }
    }

    /// The address, with the port that the system chose.
    ///
    /// # Errors
    /// When the socket can't say.
    pub fn address(&self) -> io::Result<AdminAddress> {
        Ok(match self {
            Self::Tcp(listener) => AdminAddress::Tcp(listener.local_addr()?),
            Self::Unix(_, file) => AdminAddress::Unix(file.path.clone()),
        })
    }
}

/// Removes a socket file that nobody answers on.
fn make_room(path: &Path) -> io::Result<()> {
    let found = match std::fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if !found.file_type().is_socket() {
        let text = "a file that is no socket is there";
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, text));
    }
    match UnixStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            std::fs::remove_file(path)
        }
        Err(error) => Err(error),
        Ok(_) => Err(io::Error::new(
            io::ErrorKind::AddrInUse,
            "another process answers there",
        )),
    }
}

/// A socket file of this process, removed when dropped.
#[derive(Debug)]
pub struct SocketFile {
    path: PathBuf,
    made: (u64, u64),
    left: Arc<AtomicBool>,
}

/// Says that a socket file is another process's now. Clones say it of the same one.
#[derive(Debug, Clone, Default)]
pub struct LeaveFile(Arc<AtomicBool>);

impl LeaveFile {
    /// The file stays when this process's listener goes.
    pub fn leave(&self) {
        self.0.store(true, Ordering::Release);
    }
}

impl SocketFile {
    /// The file at `path`, made by this process or for it.
    ///
    /// # Errors
    /// When it can't be looked at.
    pub fn at(path: &Path) -> io::Result<Self> {
        let found = std::fs::symlink_metadata(path)?;
        Ok(Self {
            path: path.to_owned(),
            made: (found.dev(), found.ino()),
            left: Arc::default(),
        })
    }

    /// What it takes to leave it to another process.
    pub fn leaver(&self) -> LeaveFile {
        LeaveFile(Arc::clone(&self.left))
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if self.left.load(Ordering::Acquire) {
            return;
        }
        let found = std::fs::symlink_metadata(&self.path);
        if found.is_ok_and(|found| (found.dev(), found.ino()) == self.made) {
            // Gone already, or a directory that has become read only: nothing is left to be done about it.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(dir: &tempfile::TempDir) -> (PathBuf, AdminAddress) {
        let path = dir.path().join("admin.sock");
        (path.clone(), AdminAddress::Unix(path))
    }

    #[test]
    fn a_socket_file_is_its_owners_and_goes_with_the_listener() {
        let dir = tempfile::tempdir().unwrap();
        let (path, address) = at(&dir);
        let port = Port::bind(&address).unwrap();
        assert_eq!(port.address().unwrap(), address);
        let mode = std::fs::metadata(&path).unwrap().mode() & 0o777;
        assert_eq!(mode, 0o600);
        assert!(UnixStream::connect(&path).is_ok());
        drop(port);
        assert!(!path.exists());
    }

    #[test]
    fn only_a_socket_that_nobody_answers_on_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let (path, address) = at(&dir);
        std::fs::write(&path, "precious").unwrap();
        let refused = Port::bind(&address).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
        std::fs::remove_file(&path).unwrap();

        let lives = UnixListener::bind(&path).unwrap();
        assert_eq!(
            Port::bind(&address).unwrap_err().kind(),
            io::ErrorKind::AddrInUse
        );
        drop(lives);
        assert!(path.exists(), "left behind by a process that died");
        assert!(Port::bind(&address).is_ok());
    }

    #[test]
    fn a_file_that_was_left_to_another_process_stays() {
        let dir = tempfile::tempdir().unwrap();
        let (path, address) = at(&dir);
        let Port::Unix(listener, file) = Port::bind(&address).unwrap() else {
            panic!("a socket file")
        };
        file.leaver().leave();
        drop((listener, file));
        assert!(path.exists());
    }

    #[test]
    fn what_another_process_has_put_there_stays() {
        let dir = tempfile::tempdir().unwrap();
        let (path, address) = at(&dir);
        let old = Port::bind(&address).unwrap();
        std::fs::remove_file(&path).unwrap();
        let _new = Port::bind(&address).unwrap();
        drop(old);
        assert!(path.exists());
    }
}
