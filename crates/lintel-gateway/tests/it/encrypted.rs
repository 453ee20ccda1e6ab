//! TLS on the data listener: what handshakes agree on, whom they refuse, and how certificates are renewed under way.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use lintel_config::Snapshot;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::pki::{Authority, Pair};
use crate::plane::{KEY, Plane, config, load_files};

const PATIENCE: Duration = Duration::from_secs(20);

/// The tests' configuration with `pair` and `more` in its `tls`.
fn snapshot(pair: &Pair, more: &str, client_ca: &str) -> Snapshot {
    let text = config(&format!(
        "tls: {{ cert: file:/cert, key: file:/key{more} }}\nlimits: {{ header_timeout: 2s }}\n"
    ));
    let files = [
        ("/cert", &*pair.cert),
        ("/key", &pair.key),
        ("/ca", client_ca),
    ];
    load_files(&text, &files)
}

fn address(plane: &Plane) -> SocketAddr {
    plane.running.as_ref().unwrap().local_addr
}

fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async { tokio::time::timeout(PATIENCE, work).await.unwrap() })
}

type Encrypted = TlsStream<tokio::net::TcpStream>;

async fn connect(address: SocketAddr, client: Arc<ClientConfig>) -> std::io::Result<Encrypted> {
    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(client).connect(name, stream).await
}

fn call(model: &str, target: &str) -> Request<Full<Bytes>> {
    let body = format!(r#"{{"model":"{model}","messages":[{{"role":"user","content":"hello"}}]}}"#);
    Request::post(format!("{target}/v1/chat/completions"))
        .header("host", "localhost")
        .header("authorization", format!("Bearer {KEY}"))
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from(body)))
        .unwrap()
}

/// One call over HTTP/1.1: status and body.
async fn call1(stream: Encrypted) -> (u16, String) {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let answer = sender.send_request(call("sandbox", "")).await.unwrap();
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

/// Three calls at once over HTTP/2: their statuses.
async fn call2(stream: Encrypted) -> Vec<u16> {
    let executor = TokioExecutor::new();
    let (sender, connection) = http2::handshake(executor, TokioIo::new(stream))
        .await
        .unwrap();
    tokio::spawn(connection);
    let calls = (0..3).map(|_| {
        let mut sender = sender.clone();
        tokio::spawn(async move {
            let answer = sender
                .send_request(call("sandbox", "https://localhost"))
                .await
                .unwrap();
            let status = answer.status().as_u16();
            answer.into_body().collect().await.unwrap();
            status
        })
    });
    let mut statuses = Vec::new();
    for call in calls.collect::<Vec<_>>() {
        statuses.push(call.await.unwrap());
    }
    statuses
}

/// Waits until a handshake has been counted so: the client knows before the server has counted it.
fn counted(plane: &Plane, result: &str) {
    let sample = format!("lintel_tls_handshakes_total{{listener=\"data\",result=\"{result}\"}}");
    let until = Instant::now() + PATIENCE;
    while !plane.metrics.encode().contains(&sample) {
        assert!(
            Instant::now() < until,
            "{result}: {}",
            plane.metrics.encode()
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn the_client_chooses_the_protocol() {
    let authority = Authority::new();
    let plane = Plane::with(snapshot(&authority.issue("one"), "", ""), None);
    let at = address(&plane);
    run(async {
        let both = authority.client(&[b"h2", b"http/1.1"], None);
        assert_eq!(
            call2(connect(at, both).await.unwrap()).await,
            [200, 200, 200]
        );
        for protocols in [&[b"http/1.1".as_slice()][..], &[]] {
            let client = authority.client(protocols, None);
            let (status, body) = call1(connect(at, client).await.unwrap()).await;
            assert_eq!(status, 200, "{body}");
        }
        let stranger = authority.client(&[b"h3"], None);
        assert!(connect(at, stranger).await.is_err());
    });
    assert!(plane.rows(5).iter().all(|row| row.status == 200));
    counted(&plane, "done");
    counted(&plane, "incompatible");
}

#[test]
fn what_is_no_handshake_is_counted_by_reason() {
    let authority = Authority::new();
    let plane = Plane::with(snapshot(&authority.issue("one"), "", ""), None);
    let at = address(&plane);
    // Plain HTTP.
    let mut plain = TcpStream::connect(at).unwrap();
    plain
        .write_all(b"GET /v1/models HTTP/1.1\r\nhost: x\r\n\r\n")
        .unwrap();
    plain.set_read_timeout(Some(PATIENCE)).unwrap();
    let _ = plain.read_to_end(&mut Vec::new());
    // A health check that only connects.
    drop(TcpStream::connect(at).unwrap());
    // One that says nothing, and is not waited for.
    let mut silent = TcpStream::connect(at).unwrap();
    silent.set_read_timeout(Some(PATIENCE)).unwrap();
    assert_eq!(silent.read(&mut [0]).unwrap(), 0);
    // One that trusts somebody else.
    let stranger = Authority::new().client(&[], None);
    run(async { assert!(connect(at, stranger).await.is_err()) });
    for reason in ["not_tls", "hung_up", "timeout", "refused"] {
        counted(&plane, reason);
    }
}

#[test]
fn a_client_certificate_is_asked_for_and_known_by_its_subject() {
    let (authority, clients) = (Authority::new(), Authority::new());
    let pair = authority.issue("one");
    let required = ", client_ca: file:/ca, client_auth: required";
    let plane = Plane::with(snapshot(&pair, required, &clients.pem), None);
    let at = address(&plane);
    run(async {
        let good = clients.issue("billing");
        let client = authority.client(&[], Some(&good));
        assert_eq!(call1(connect(at, client).await.unwrap()).await.0, 200);
        let strange = authority.issue("stranger");
        for own in [None, Some(&strange)] {
            // In TLS 1.3 the client may learn it only when it reads.
            let refused = match connect(at, authority.client(&[], own)).await {
                Err(_) => true,
                Ok(mut stream) => tokio::io::AsyncReadExt::read_u8(&mut stream).await.is_err(),
            };
            assert!(refused);
        }
    });
    let rows = plane.rows(1);
    let subject = rows[0].client_subject.as_deref().unwrap();
    assert!(subject.contains("CN=billing"), "{subject}");
    counted(&plane, "client_certificate");
}

#[test]
fn an_optional_certificate_may_be_left_out() {
    let (authority, clients) = (Authority::new(), Authority::new());
    let optional = ", client_ca: file:/ca, client_auth: optional";
    let plane = Plane::with(
        snapshot(&authority.issue("one"), optional, &clients.pem),
        None,
    );
    let at = address(&plane);
    run(async {
        let client = authority.client(&[], None);
        assert_eq!(call1(connect(at, client).await.unwrap()).await.0, 200);
    });
    assert_eq!(plane.rows(1)[0].client_subject, None);
}

#[test]
fn a_renewed_certificate_is_for_new_handshakes_and_running_connections_stay() {
    let authority = Authority::new();
    let plane = Plane::with(snapshot(&authority.issue("one"), "", ""), None);
    let at = address(&plane);
    let shown = |stream: &Encrypted| {
        let shown = stream.get_ref().1.peer_certificates().unwrap();
        lintel_config::certificate::facts(&shown[0])
            .unwrap()
            .subject
    };
    run(async {
        let old = connect(at, authority.client(&[], None)).await.unwrap();
        assert!(shown(&old).contains("CN=one"));
        let handle = &plane.running.as_ref().unwrap().handle;
        handle.apply(Arc::new(snapshot(&authority.issue("two"), "", "")));
        let new = connect(at, authority.client(&[], None)).await.unwrap();
        assert!(shown(&new).contains("CN=two"));
        assert_eq!(call1(old).await.0, 200);
        assert_eq!(call1(new).await.0, 200);
    });
    let text = plane.metrics.encode();
    assert!(
        text.contains("lintel_tls_certificate_not_after_seconds{listener=\"data\"}"),
        "{text}"
    );
}
