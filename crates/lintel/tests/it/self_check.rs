//! The harness against itself: what it claims to see, it sees. Needs no process under test.

use std::time::Duration;

use crate::harness::script::Gate;
use crate::harness::{Act, Client, FACES, Face, Provider, Script, dialect, until};

fn direct(choose: impl Fn(&crate::harness::Seen) -> Script + Send + Sync + 'static) -> Provider {
    Provider::start(choose)
}

#[test]
fn client_and_provider_agree_on_bytes() {
    let provider = direct(dialect::answer);
    let mut client = Client::connect(provider.addr);
    for face in FACES {
        for stream in [false, true] {
            let reply = client.call(&face.request("k", "m", stream));
            assert_eq!(reply.status, 200);
            let expected = if stream {
                face.client_stream()
            } else {
                String::from_utf8_lossy(face.answer()).into_owned()
            };
            assert_eq!(reply.text(), expected);
        }
    }
    let seen = provider.seen();
    assert_eq!(seen.len(), 4);
    // The provider notes the end of a script after the client has read it.
    until("every script to end", || seen.iter().all(|s| s.done()));
    assert!(
        seen.iter().all(|s| s.connection == 1 && !s.hung_up()),
        "one connection for all"
    );
    assert_eq!(seen[0].head.get("authorization"), Some("Bearer k"));
    assert_eq!(seen[0].body, Face::Openai.body("m", false).as_bytes());
}

#[test]
fn ends_are_told_apart() {
    let provider = direct(|seen| {
        let begun = Script::stream_head().chunk(b"data: 1\n\n");
        match seen.model().as_str() {
            "close" => begun.raw(b"ff\r\nhalf a chunk").then(Act::Close),
            "reset" => begun
                .then(Act::Wait(Duration::from_millis(20)))
                .then(Act::Reset),
            "silent" => Script::default().then(Act::Close),
            _ => begun.end(),
        }
    });
    let call = |model: &str| {
        let mut client = Client::connect(provider.addr);
        client
            .send(&Face::Openai.request("k", model, true).bytes())
            .unwrap();
        client.try_reply()
    };
    assert!(call("whole").unwrap().ended.is_ok());
    let cut = call("close").unwrap();
    assert_eq!(
        cut.ended.unwrap_err().kind(),
        std::io::ErrorKind::UnexpectedEof
    );
    assert_eq!(cut.body, b"data: 1\n\nhalf a chunk");
    assert_eq!(
        call("reset").unwrap().ended.unwrap_err().kind(),
        std::io::ErrorKind::ConnectionReset
    );
    assert!(call("silent").is_err());
}

#[test]
fn a_hang_up_is_seen_while_waiting_and_while_writing() {
    let gate = Gate::default();
    let held = gate.clone();
    let provider = direct(move |seen| {
        let begun = Script::stream_head().chunk(b"data: 1\n\n");
        match seen.model().as_str() {
            "hold" => begun.then(Act::Hold),
            "flood" => begun.then(Act::Repeat(vec![b'x'; 65536], 100_000)),
            _ => begun.then(Act::Gate(held.clone())).end(),
        }
    });
    for model in ["hold", "flood"] {
        let mut client = Client::narrow(provider.addr, 4096);
        client
            .send(&Face::Openai.request("k", model, true).bytes())
            .unwrap();
        client.head().unwrap();
        client.until(b"data: 1\n\n").unwrap();
        let seen = provider.wait_for(model, 1);
        assert!(!seen.hung_up() && !seen.done());
        client.hang_up();
        until("the provider to see the hang-up", || seen.hung_up());
    }
    let mut client = Client::connect(provider.addr);
    client
        .send(&Face::Openai.request("k", "gate", true).bytes())
        .unwrap();
    client.head().unwrap();
    client.until(b"data: 1\n\n").unwrap();
    assert!(!provider.wait_for("gate", 1).done());
    gate.open();
    assert!(client.rest().1.is_ok());
    drop(client);
    until("every connection to be closed", || provider.open() == 0);
}

#[test]
fn a_slow_reader_holds_the_writer() {
    let provider = direct(|_| {
        Script::stream_head()
            .then(Act::Repeat(
                crate::harness::http::chunk(&[b'x'; 65536]),
                1_000,
            ))
            .end()
    });
    let mut client = Client::narrow(provider.addr, 4096);
    client
        .send(&Face::Openai.request("k", "m", true).bytes())
        .unwrap();
    let seen = provider.wait_for("m", 1);
    until("the writer to block", || {
        let before = seen.sent();
        std::thread::sleep(Duration::from_millis(100));
        seen.sent() == before
    });
    assert!(
        seen.sent() < 16 * 1024 * 1024,
        "{} bytes went into a socket that nobody reads",
        seen.sent()
    );
    let reply = client.reply();
    assert_eq!(reply.body.len(), 65_536_000);
}
