//! The old process's side of an upgrade: starts its successor, lets go of the store when that is prepared, and takes
//! everything back when it does not come to serve.
//!
//! Knows no call. Invariant: until the successor has said that it serves, every failure ends with the successor dead and
//! the store held here again.

use std::ffi::OsString;
use std::io;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use command_fds::{CommandFdExt, FdMapping};

use lintel_admin::port::{LeaveFile, Port};

use crate::serve::books::Reins;
use crate::serve::listeners::{ADMIN, DATA, UPGRADE};
use crate::serve::talk::{Fixed, New, Old, Silence, Talk};

/// The first descriptor that is passed down: `SD_LISTEN_FDS_START`.
const FIRST: i32 = 3;

/// How long a successor may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// From its start to a configuration that is sound.
    pub(crate) prepare: Duration,
    /// From the store to its first call: long enough for databases to be migrated, for calls are served meanwhile.
    pub(crate) take_over: Duration,
}

/// What a successor gets.
pub(crate) const BOUNDS: Bounds = Bounds {
    prepare: Duration::from_secs(30),
    take_over: Duration::from_secs(300),
};

/// How this process was started, and so how its successor is.
#[derive(Debug)]
pub(crate) struct Program {
    path: PathBuf,
    name: OsString,
    args: Vec<OsString>,
}

impl Program {
    /// As it is now: early, before the file may have been replaced.
    pub(crate) fn of_this_process() -> io::Result<Self> {
        let mut args = std::env::args_os();
        let name = args.next().unwrap_or_default();
        let path = match found(&name) {
            Some(path) => path,
            None => std::env::current_exe()?,
        };
        Ok(Self {
            path,
            name,
            args: args.collect(),
        })
    }
}

/// The file that was started by `name`: what lies at that path later is the next version, whatever a link then points to.
fn found(name: &OsString) -> Option<PathBuf> {
    let given = Path::new(name);
    if given.components().count() > 1 {
        return std::path::absolute(given).ok();
    }
    let paths = std::env::var_os("PATH")?;
    std::env::split_paths(&paths)
        .map(|folder| folder.join(given))
        .find(|path| !name.is_empty() && path.is_file())
}

/// The listening sockets, held to be passed down.
#[derive(Debug)]
pub(crate) struct Sockets {
    data: OwnedFd,
    admin: OwnedFd,
    /// The admin listener's socket file, when it has one.
    file: LeaveFile,
}

impl Sockets {
    /// Holds the sockets of both listeners.
    pub(crate) fn of(data: &TcpListener, admin: &Port) -> io::Result<Self> {
        let (admin, file) = match admin {
            Port::Tcp(admin) => (admin.try_clone()?.into(), LeaveFile::default()),
            Port::Unix(admin, file) => (admin.try_clone()?.into(), file.leaver()),
        };
        Ok(Self {
            data: data.try_clone()?.into(),
            admin,
            file,
        })
    }
}

/// Everything that an upgrade takes.
pub(crate) struct Upgrade<'a> {
    pub(crate) program: &'a Program,
    pub(crate) sockets: &'a Sockets,
    pub(crate) fixed: Fixed,
    pub(crate) reins: Reins,
    pub(crate) bounds: Bounds,
}

impl Upgrade<'_> {
    /// Starts a successor and hands over to it. Blocks for as long as that takes, or until `off` calls it off.
    ///
    /// # Errors
    /// Why this process goes on as before.
    pub(crate) fn run(self, off: &dyn Fn() -> bool) -> Result<Child, String> {
        if std::process::id() == 1 {
            return Err("process 1 can't hand over, for its end ends its container: start a container of the new version beside this one".to_owned());
        }
        let (ours, theirs) = UnixStream::pair().map_err(|error| error.to_string())?;
        let path = self.program.path.display();
        let mut child = self
            .start(theirs)
            .map_err(|error| format!("can't start {path}: {error}"))?;
        let mut talk = Talk::over(ours);
        match self.hand_over(&mut talk, off) {
            Ok(()) => {
                self.sockets.file.leave();
                Ok(child)
            }
            Err(why) => {
                // One that is gone already can't be killed.
                let _ = child.kill();
                let ended = child.wait();
                self.reins.take_back()?;
                Err(match (why, ended) {
                    (Why::Refused(why), _) => format!("the new process refused: {why}"),
                    (Why::Silent(Silence::Gone), Ok(status)) => {
                        format!(
                            "the new process ended with {status} before it took calls; its output says why"
                        )
                    }
                    (Why::Silent(silence), _) => {
                        format!("the new process did not take over: {silence}; it was killed")
                    }
                    (Why::Kept(why), _) => why,
                })
            }
        }
    }

    fn start(&self, theirs: UnixStream) -> io::Result<Child> {
        let passed = [
            (DATA, self.sockets.data.try_clone()?),
            (ADMIN, self.sockets.admin.try_clone()?),
            (UPGRADE, theirs.into()),
        ];
        let names = passed.each_ref().map(|(name, _)| *name).join(":");
        let count = passed.len().to_string();
        let place = |((_, parent_fd), child_fd): ((&str, OwnedFd), i32)| FdMapping {
            parent_fd,
            child_fd,
        };
        let mappings = passed.into_iter().zip(FIRST..).map(place).collect();
        let mut command = Command::new(&self.program.path);
        command
            .arg0(&self.program.name)
            .args(&self.program.args)
            .stdin(Stdio::null())
            .env("LISTEN_FDS", count)
            .env("LISTEN_FDNAMES", names)
            // They name this process, and what is said in them holds for the next one.
            .env_remove("LISTEN_PID")
            .env_remove("WATCHDOG_PID");
        command
            .fd_mappings(mappings)
            .map_err(|error| io::Error::other(error.to_string()))?;
        command.spawn()
    }

    fn hand_over(&self, talk: &mut Talk, off: &dyn Fn() -> bool) -> Result<(), Why> {
        let gone = |_| Why::Silent(Silence::Gone);
        talk.say(&Old::Hello(self.fixed.clone())).map_err(gone)?;
        match talk.hear(self.bounds.prepare, off)? {
            New::Prepared => {}
            New::Refused { why } => return Err(Why::Refused(why)),
            New::Serving => return Err(Why::Kept("the new process serves unasked".to_owned())),
        }
        self.reins.let_go().map_err(Why::Kept)?;
        talk.say(&Old::LetGo).map_err(gone)?;
        match talk.hear(self.bounds.take_over, off)? {
            New::Serving => Ok(()),
            New::Refused { why } => Err(Why::Refused(why)),
            New::Prepared => Err(Why::Kept("the new process prepared twice".to_owned())),
        }
    }
}

/// Why a successor did not come to serve.
enum Why {
    /// It says so.
    Refused(String),
    /// It says nothing.
    Silent(Silence),
    /// This process does not hand over.
    Kept(String),
}

impl From<Silence> for Why {
    fn from(silence: Silence) -> Self {
        Why::Silent(silence)
    }
}
