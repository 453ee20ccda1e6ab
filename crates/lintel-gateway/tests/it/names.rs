//! Names to addresses: what is resolved is what is checked and called, anew for every connection, and public names
//! don't lead into private networks.

use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use lintel_gateway::Resolve;

use crate::plane::{Plane, load};
use crate::server::{ANSWER, Server};

/// Gives the answers in turn, the last one for ever, and remembers the questions.
#[derive(Default)]
struct Names {
    answers: Mutex<Vec<Vec<IpAddr>>>,
    asked: Mutex<Vec<String>>,
}

impl Names {
    fn new(answers: &[&[&str]]) -> Arc<Self> {
        let parse = |list: &&[&str]| list.iter().map(|ip| ip.parse().unwrap()).collect();
        Arc::new(Self {
            answers: Mutex::new(answers.iter().map(parse).collect()),
            asked: Mutex::default(),
        })
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Resolve for Names {
    fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        self.asked.lock().unwrap().push(name.to_owned());
        let mut answers = self.answers.lock().unwrap();
        match answers.len() {
            0 => Err(io::Error::from(io::ErrorKind::NotFound)),
            1 => Ok(answers[0].clone()),
            _ => Ok(answers.remove(0)),
        }
    }
}

fn plane(host: &str, port: u16, more: &str, names: &Arc<Names>) -> Plane {
    let snapshot = load(&format!(
        "listen: 127.0.0.1:0\nproviders:\n  up: {{ protocol: openai, base_url: 'http://{host}:{port}/v1'{more} }}\nprices: {{ unknown_model: allow_unpriced }}\n"
    ));
    Plane::resolving(snapshot, None, Arc::clone(names) as Arc<dyn Resolve>)
}

/// The call isn't made; the client is told nothing of addresses, the log `why`.
fn refused(plane: &Plane, why: &str) {
    let answer = plane.call("up/m", false);
    assert!(
        answer.contains(" 502 ") && answer.contains("upstream_unreachable"),
        "{answer}"
    );
    let log = plane.log();
    assert!(log.contains(why) && !answer.contains(why), "{log}");
}

#[test]
fn a_public_name_is_kept_out_of_private_networks_unless_it_is_meant() {
    let up = Server::start(|_, _| (200, ANSWER.to_owned()));
    let port = up.address.port();
    let names = || Names::new(&[&["127.0.0.1"]]);
    let public = plane("rebound.example.com", port, "", &names());
    refused(&public, "leads to the private address 127.0.0.1");
    assert_eq!(up.accepted(), 0);
    let meant = ", private_addresses: allow";
    for (host, more) in [
        ("rebound.example.com", meant),
        ("localhost", ""),
        ("vllm", ""),
        ("vllm.models.svc.cluster.local", ""),
        ("127.0.0.1", ""),
    ] {
        let names = names();
        let plane = plane(host, port, more, &names);
        assert!(plane.call("up/m", false).contains("200 OK"), "{host}");
        assert_eq!(
            names.asked().len(),
            usize::from(host != "127.0.0.1"),
            "{host}"
        );
    }
    let strict = plane("vllm", port, ", private_addresses: refuse", &names());
    refused(&strict, "leads to the private address");
}

#[test]
fn metadata_services_are_out_of_reach_whatever_was_allowed() {
    for address in ["169.254.169.254", "fd00:ec2::254", "::ffff:169.254.169.254"] {
        let names = Names::new(&[&[address]]);
        let plane = plane("vllm", 80, ", private_addresses: allow", &names);
        refused(&plane, "never called");
    }
}

#[test]
fn a_name_is_asked_for_anew_for_every_connection_and_checked_each_time() {
    // The server closes after each answer, so every call needs a connection.
    let up = Server::start(|_, _| (200, ANSWER.to_owned())).hangs_up();
    let names = Names::new(&[&["127.0.0.1"], &["127.0.0.1"], &["169.254.169.254"]]);
    let plane = plane("vllm", up.address.port(), "", &names);
    for _ in 0..2 {
        assert!(plane.call("up/m", false).contains("200 OK"));
    }
    assert_eq!((names.asked().len(), up.accepted()), (2, 2));
    refused(&plane, "169.254.169.254");
    assert_eq!(up.accepted(), 2);
}

#[test]
fn a_name_that_nobody_knows_is_told_by_name() {
    let names = Names::new(&[]);
    let plane = plane("gone.example.com", 80, "", &names);
    refused(&plane, "no address of gone.example.com is known");
}

#[test]
fn an_address_that_is_refused_or_dead_gives_way_to_one_that_is_not() {
    let up = Server::start(|_, _| (200, ANSWER.to_owned()));
    // Only the last of the three may be called and answers.
    let names = Names::new(&[&["169.254.169.254", "127.0.0.9", "127.0.0.1"]]);
    let plane = plane("vllm", up.address.port(), "", &names);
    assert!(plane.call("up/m", false).contains("200 OK"));
}
