//! One TCP connection to the first of several addresses that takes it (Happy Eyeballs, RFC 8305, without its
//! bookkeeping): families take turns, an attempt gets a quarter of a second before the next one begins beside
//! it, and one that fails gives way at once. Whoever waits sets the bound.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// How long an attempt is alone (RFC 8305 §5: 250 ms).
const ALONE: Duration = Duration::from_millis(250);
/// Addresses that are tried at most.
const MOST: usize = 8;

/// Connects to one of `addresses`, all at `port`.
pub(super) async fn connect(addresses: &[IpAddr], port: u16) -> io::Result<TcpStream> {
    let mut left = in_turns(addresses).into_iter().take(MOST);
    let mut last = io::Error::new(io::ErrorKind::NotFound, "no address");
    let mut under_way = JoinSet::new();
    loop {
        let more = match left.next() {
            Some(ip) => {
                under_way.spawn(open(SocketAddr::new(ip, port)));
                left.len() > 0
            }
            None => false,
        };
        tokio::select! {
            ended = under_way.join_next() => match ended {
                Some(Ok(Ok(stream))) => return Ok(stream),
                Some(Ok(Err(e))) => last = e,
                Some(Err(e)) => last = io::Error::other(e),
                None => return Err(last),
            },
            () = tokio::time::sleep(ALONE), if more => {}
        }
    }
}

async fn open(address: SocketAddr) -> io::Result<TcpStream> {
    let named = |e: io::Error| io::Error::new(e.kind(), format!("{address}: {e}"));
    let stream = TcpStream::connect(address).await.map_err(named)?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// The two families in turns, beginning with the first address's, each in its own order (RFC 8305 §4).
fn in_turns(addresses: &[IpAddr]) -> Vec<IpAddr> {
    let first = addresses.first().is_some_and(IpAddr::is_ipv6);
    let (mut own, mut other): (Vec<IpAddr>, Vec<IpAddr>) =
        addresses.iter().partition(|ip| ip.is_ipv6() == first);
    own.reverse();
    other.reverse();
    let mut out = Vec::with_capacity(addresses.len());
    while out.len() < addresses.len() {
        out.extend(own.pop());
        out.extend(other.pop());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_take_turns() {
        let check = |given: &str, expect: &str| {
            let ips: Vec<IpAddr> = given.split(' ').map(|ip| ip.parse().unwrap()).collect();
            let shown: Vec<String> = in_turns(&ips).iter().map(ToString::to_string).collect();
            assert_eq!(shown.join(" "), expect);
        };
        check("::1 ::2 ::3 1.1.1.1 2.2.2.2", "::1 1.1.1.1 ::2 2.2.2.2 ::3");
        check("1.1.1.1 ::1 ::2", "1.1.1.1 ::1 ::2");
        check("1.1.1.1 2.2.2.2", "1.1.1.1 2.2.2.2");
    }

    /// A listener at `ip` whose queue is full: what connects to it hangs. The streams keep it so.
    fn hanging(ip: &str, port: u16) -> (socket2::Socket, Vec<socket2::Socket>) {
        use socket2::{Domain, Socket, Type};
        let address = SocketAddr::new(ip.parse().unwrap(), port);
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        listener.bind(&address.into()).unwrap();
        listener.listen(0).unwrap();
        let fill = (0..8).map(|_| {
            let stream = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
            stream.set_nonblocking(true).unwrap();
            let _ = stream.connect(&address.into());
            stream
        });
        let fill = fill.collect();
        (listener, fill)
    }

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
    }

    #[test]
    fn an_address_that_refuses_or_hangs_gives_way() {
        let good = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = good.local_addr().unwrap();
        let _full = hanging("127.0.0.2", address.port());
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        runtime().block_on(async {
            for first in ["127.0.0.2", "127.0.0.3"] {
                let addresses = [ip(first), address.ip()];
                let bound = Duration::from_secs(20);
                let won = tokio::time::timeout(bound, connect(&addresses, address.port()));
                let won = won.await.expect("it hangs").unwrap();
                assert_eq!(won.peer_addr().unwrap(), address, "{first}");
            }
            let refused = connect(&[ip("127.0.0.3"), ip("127.0.0.4")], address.port()).await;
            let text = refused.unwrap_err().to_string();
            assert!(text.contains("127.0.0.4"), "the last one is named: {text}");
            let none = connect(&[], 1).await.unwrap_err();
            assert_eq!(none.kind(), io::ErrorKind::NotFound);
        });
    }
}
