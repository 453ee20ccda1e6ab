//! Sockets that were there before the process, as systemd's socket activation hands them down.

use std::net::TcpListener;
use std::process::Stdio;
use std::sync::Arc;

use command_fds::{CommandFdExt, FdMapping};

use crate::harness::process::command;
use crate::harness::temp::Temp;
use crate::harness::{Client, Config, Face, Lintel, Provider, dialect};

#[test]
fn a_call_that_waits_in_an_inherited_queue_is_answered() {
    let provider = Provider::start(dialect::answer);
    let dir = Arc::new(Temp::new());
    let config = Config::of(&provider);
    let mut first = Lintel::start_in(dir.clone(), &config);
    let key = first.key(&["--direct"]);
    first.stop();
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut early = Client::connect(socket.local_addr().unwrap());
    let request = Face::Openai.request(&key.secret, "up/m", false);
    early.send(&request.bytes()).unwrap();
    let mut serve = command(&dir);
    serve
        .args(["serve", "--config", "lintel.yaml"])
        .envs([("LISTEN_FDS", "1"), ("LISTEN_FDNAMES", "data")])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .fd_mappings(vec![FdMapping {
            parent_fd: socket.into(),
            child_fd: 3,
        }])
        .unwrap();
    let mut child = serve.spawn().unwrap();
    drop(serve);
    let reply = early.reply();
    // Before anything can fail: what was started is stopped.
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(reply.status, 200, "{}", reply.text());
}

#[test]
fn a_descriptor_that_nobody_knows_is_refused() {
    let dir = Temp::new();
    let refused = |names: &str| {
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut serve = command(&dir);
        serve
            .arg("serve")
            .envs([("LISTEN_FDS", "1"), ("LISTEN_FDNAMES", names)])
            .fd_mappings(vec![FdMapping {
                parent_fd: socket.into(),
                child_fd: 3,
            }])
            .unwrap();
        let out = serve.output().unwrap();
        assert_eq!(out.status.code(), Some(1));
        String::from_utf8(out.stderr).unwrap()
    };
    let said = refused("metrics");
    assert!(
        said.contains("`metrics` (LISTEN_FDS) is not known"),
        "{said}"
    );
    let said = refused("upgrade");
    assert!(
        said.contains("`upgrade` (LISTEN_FDS) can't be used"),
        "{said}"
    );
}
