//! Reads the command line into a plan: what to send, where, how often, and what must come back.
//!
//! Loopback only: a load generator that can be pointed at somebody else's machine is a weapon.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use crate::answer::Expected;

/// How the calls are spread over time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Pace {
    /// `connections` callers, each sending its next call when the last one is answered.
    Closed,
    /// `rps` calls a second, whatever becomes of them; latency counts from the due time.
    Rate(f64),
    /// One call on each of `connections` connections, opened over the ramp and held to its end.
    Once,
}

/// Everything a run needs.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) pace: Pace,
    pub(crate) address: SocketAddr,
    /// The URL is https, and this file says whom to trust.
    pub(crate) ca: Option<PathBuf>,
    /// The whole request, head and body: written as it is.
    pub(crate) request: Vec<u8>,
    pub(crate) connections: usize,
    /// Stop after this many calls (closed pace only).
    pub(crate) calls: u64,
    pub(crate) length: Duration,
    /// Opening is spread evenly over this.
    pub(crate) ramp: Duration,
    /// Latencies of calls begun before this are left out.
    pub(crate) skip: Duration,
    /// Of one call.
    pub(crate) timeout: Duration,
    pub(crate) expected: Expected,
}

/// How to call it.
pub(crate) const USAGE: &str = "usage: load-client closed|rate|once --url http[s]://127.0.0.1:PORT/PATH --body FILE
  [--ca FILE (with https)] [-H 'name: value']... [--connections N] [--calls N] [--secs S] [--rps R] [--ramp S] [--skip S] [--timeout S]
  [--stream] [--expect-bytes N] [--expect-events N]";

impl Plan {
    /// Reads `args`; `read` gives a file's bytes.
    pub(crate) fn parse(
        mut args: impl Iterator<Item = String>,
        read: impl Fn(&str) -> std::io::Result<Vec<u8>>,
    ) -> Result<Self, String> {
        let pace = args.next().ok_or("a pace is missing")?;
        let (mut url, mut body, mut headers, mut rps) = (None, Vec::new(), String::new(), 100.0);
        let mut plan = Self {
            pace: Pace::Closed,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            ca: None,
            request: Vec::new(),
            connections: 1,
            calls: u64::MAX,
            length: Duration::from_secs(10),
            ramp: Duration::ZERO,
            skip: Duration::ZERO,
            timeout: Duration::from_secs(60),
            expected: Expected::default(),
        };
        while let Some(flag) = args.next() {
            if flag == "--stream" {
                plan.expected.stream = true;
                continue;
            }
            let value = args.next().ok_or_else(|| format!("{flag} needs a value"))?;
            match flag.as_str() {
                "--url" => url = Some(value),
                "--body" => body = read(&value).map_err(|error| format!("{value}: {error}"))?,
                "--ca" => plan.ca = Some(value.into()),
                "-H" => headers = headers + value.trim() + "\r\n",
                "--rps" => rps = number(&flag, &value)?,
                "--connections" => plan.connections = number(&flag, &value)?,
                "--calls" => plan.calls = number(&flag, &value)?,
                "--secs" => plan.length = seconds(&flag, &value)?,
                "--ramp" => plan.ramp = seconds(&flag, &value)?,
                "--skip" => plan.skip = seconds(&flag, &value)?,
                "--timeout" => plan.timeout = seconds(&flag, &value)?,
                "--expect-bytes" => plan.expected.bytes = Some(number(&flag, &value)?),
                "--expect-events" => plan.expected.events = Some(number(&flag, &value)?),
                _ => return Err(format!("{flag} is not known")),
            }
        }
        plan.pace = match pace.as_str() {
            "closed" => Pace::Closed,
            "once" => Pace::Once,
            "rate" if rps > 0.0 => Pace::Rate(rps),
            _ => return Err(format!("`{pace}` at {rps} calls a second is not a pace")),
        };
        let (secure, address, path) = target(&url.ok_or("--url is missing")?)?;
        if secure != plan.ca.is_some() {
            return Err("https and --ca go together: one is there without the other".to_owned());
        }
        plan.address = address;
        plan.request = request(address, &path, &headers, &body);
        Ok(plan)
    }
}

fn number<T: std::str::FromStr>(flag: &str, value: &str) -> Result<T, String> {
    value
        .parse()
        .map_err(|_| format!("{flag}: `{value}` is not a number"))
}

fn seconds(flag: &str, value: &str) -> Result<Duration, String> {
    let seconds: f64 = number(flag, value)?;
    Duration::try_from_secs_f64(seconds)
        .map_err(|_| format!("{flag}: `{value}` is not a time in seconds"))
}

/// Whether by TLS, where, and which path.
fn target(url: &str) -> Result<(bool, SocketAddr, String), String> {
    let bad = || format!("`{url}` is not of the form http[s]://127.0.0.1:PORT/PATH");
    let (secure, rest) = match url.strip_prefix("https://") {
        Some(rest) => (true, rest),
        None => (false, url.strip_prefix("http://").ok_or_else(bad)?),
    };
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let address: SocketAddr = authority.parse().map_err(|_| bad())?;
    match address.ip() {
        IpAddr::V4(ip) if ip == Ipv4Addr::LOCALHOST => Ok((secure, address, format!("/{path}"))),
        _ => Err(bad()),
    }
}

fn request(address: SocketAddr, path: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n{headers}\r\n"
    );
    [head.as_bytes(), body].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &str) -> Result<Plan, String> {
        Plan::parse(args.split(' ').map(str::to_owned), |_| Ok(b"{}".to_vec()))
    }

    #[test]
    fn builds_the_request_once() {
        let plan = parse("rate --url http://127.0.0.1:9100/v1/x --body f --rps 50 -H a:b --stream --expect-events 22").unwrap();
        assert_eq!(plan.pace, Pace::Rate(50.0));
        assert_eq!(
            (plan.expected.stream, plan.expected.events),
            (true, Some(22))
        );
        let want = "POST /v1/x HTTP/1.1\r\nhost: 127.0.0.1:9100\r\ncontent-type: application/json\r\ncontent-length: 2\r\na:b\r\n\r\n{}";
        assert_eq!(std::str::from_utf8(&plan.request).unwrap(), want);
    }

    #[test]
    fn refuses_other_machines_and_unknown_flags() {
        assert!(parse("closed --url http://192.0.2.1:80/ --body f").is_err());
        assert!(parse("closed --url https://127.0.0.1:80/ --body f").is_err());
        assert!(parse("closed --url http://127.0.0.1:80/ --body f --ca c").is_err());
        assert!(parse("closed --url https://192.0.2.1:80/ --body f --ca c").is_err());
        assert!(parse("closed --url https://127.0.0.1:80/ --body f --ca c").is_ok());
        assert!(parse("closed --url http://127.0.0.1:80/ --bodies f").is_err());
        assert!(parse("often --url http://127.0.0.1:80/ --body f").is_err());
        assert!(parse("rate --url http://127.0.0.1:80/ --body f --rps 0").is_err());
    }
}
