//! Which addresses calls may go to, and which names may lead to private ones. Pure; whoever dials asks.
//!
//! Three kinds of addresses. *Forbidden* ones are never called: link-local addresses and the metadata services of
//! clouds hand out this machine's own credentials to whoever asks. *Private* ones are called where the operator
//! means them: as a literal address, by a name that only means something in their own network, or by
//! `private_addresses: allow`. A public name that leads to one is refused: whoever owns the name would choose which
//! of our machines gets the calls and their credentials. All others are *public*.
//!
//! An IPv6 address that stands for an IPv4 address is what that one is.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What an address is to an egress rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Reached through the internet, or nowhere.
    Public,
    /// Loopback, private, shared by carriers (RFC 6598), unique local (RFC 4193), or reserved.
    Private,
    /// Never called.
    Forbidden,
}

/// What `ip` is to an egress rule.
pub fn standing(ip: IpAddr) -> Standing {
    let v6 = match ip {
        IpAddr::V4(v4) => return standing_v4(v4),
        IpAddr::V6(v6) => v6,
    };
    let inside = embedded_v4(v6).into_iter().flatten().map(standing_v4);
    let all: Vec<Standing> = inside.chain([standing_v6(v6)]).collect();
    let worst = [Standing::Forbidden, Standing::Private];
    let found = worst.into_iter().find(|kind| all.contains(kind));
    found.unwrap_or(Standing::Public)
}

/// Whether `name` only means something in a network of the operator's own: `localhost`, a single label (as of
/// docker compose), or a name under a domain that the public DNS doesn't delegate.
pub fn is_local_name(name: &str) -> bool {
    /// RFC 6761 §6; RFC 6762 §3 and appendix G; RFC 8375; `internal` by ICANN's resolution 2024.07.29.06; `svc` is how Kubernetes
    /// names services inside a cluster.
    const LOCAL: [&str; 10] = [
        "localhost",
        "local",
        "internal",
        "lan",
        "home",
        "corp",
        "private",
        "intranet",
        "test",
        "svc",
    ];
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let last = name.rsplit('.').next().unwrap_or_default();
    !name.contains('.') || LOCAL.contains(&last) || name.ends_with(".home.arpa")
}

fn standing_v4(ip: Ipv4Addr) -> Standing {
    /// Metadata services outside of link-local: Alibaba Cloud, Azure's wire server, Oracle Cloud.
    const METADATA: [Ipv4Addr; 3] = [
        Ipv4Addr::new(100, 100, 100, 200),
        Ipv4Addr::new(168, 63, 129, 16),
        Ipv4Addr::new(192, 0, 0, 192),
    ];
    if ip.is_link_local()
        || ip.is_unspecified()
        || ip.is_broadcast()
        || ip.is_multicast()
        || METADATA.contains(&ip)
    {
        return Standing::Forbidden;
    }
    let private = match ip.octets() {
        // This network; carriers' own (RFC 6598); protocol assignments; benchmarks; reserved.
        [0, ..] | [100, 64..=127, ..] | [192, 0, 0, _] | [198, 18 | 19, ..] | [240..=255, ..] => {
            true
        }
        _ => ip.is_private() || ip.is_loopback(),
    };
    if private {
        Standing::Private
    } else {
        Standing::Public
    }
}

fn standing_v6(ip: Ipv6Addr) -> Standing {
    /// Google Cloud's metadata service over IPv6.
    const GOOGLE: Ipv6Addr = Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254);
    /// Oracle Cloud's.
    const ORACLE: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xc1, 0, 0, 0, 0, 0xa9fe, 0xa9fe);
    match ip.segments() {
        // AWS: metadata, name servers and credentials of pods, all under one prefix.
        [0xfd00, 0x0ec2, ..] => Standing::Forbidden,
        _ if ip == GOOGLE || ip == ORACLE => Standing::Forbidden,
        _ if ip.is_unicast_link_local() || ip.is_unspecified() || ip.is_multicast() => {
            Standing::Forbidden
        }
        // Unique local, the old site-local, and translation inside a network (RFC 8215).
        [0xfc00..=0xfdff | 0xfec0..=0xfeff, ..] | [0x64, 0xff9b, 1, ..] => Standing::Private,
        _ if ip.is_loopback() => Standing::Private,
        _ => Standing::Public,
    }
}

/// The IPv4 addresses that an IPv6 address may stand for.
fn embedded_v4(ip: Ipv6Addr) -> [Option<Ipv4Addr>; 3] {
    let of = |high: u16, low: u16| Some(Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)));
    let none = [None; 3];
    match ip.segments() {
        // Mapped (RFC 4291 §2.5.5.2), compatible (§2.5.5.1), translated (RFC 7915), NAT64 (RFC 6052).
        [0, 0, 0, 0, 0, 0xffff | 0, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => [of(high, low), None, None],
        // NAT64 inside a network (RFC 8215): its prefix has 96, 64 or 48 bits, and the eight in the middle are left out.
        [0x64, 0xff9b, 1, a, b, c, high, low] => {
            let at_48 = of(a, b << 8 | c >> 8);
            let at_64 = of(b << 8 | c >> 8, c << 8 | high >> 8);
            // A reading that begins with zero is another prefix's padding.
            let real = |ip: &Ipv4Addr| ip.octets()[0] != 0;
            [of(high, low), at_48.filter(real), at_64.filter(real)]
        }
        // 6to4 (RFC 3056).
        [0x2002, high, low, ..] => [of(high, low), None, None],
        // Teredo (RFC 4380): the server's, and the client's with its bits turned over.
        [0x2001, 0, a, b, _, _, high, low] => [of(a, b), of(!high, !low), None],
        // ISATAP (RFC 5214), under any prefix.
        [_, _, _, _, 0 | 0x200, 0x5efe, high, low] => [of(high, low), None, None],
        _ => none,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(expect: Standing, all: &[&str]) {
        for text in all {
            assert_eq!(standing(text.parse().unwrap()), expect, "{text}");
        }
    }

    #[test]
    fn credentials_of_this_machine_are_out_of_reach_in_every_spelling() {
        check(
            Standing::Forbidden,
            &[
                "169.254.169.254",
                "169.254.170.2",
                "169.254.0.1",
                "100.100.100.200",
                "168.63.129.16",
                "192.0.0.192",
                "0.0.0.0",
                "255.255.255.255",
                "224.0.0.1",
                "fe80::1",
                "fe80::a9fe:a9fe",
                "fd00:ec2::254",
                "fd00:ec2::23",
                "fd20:ce::254",
                "fd00:c1::a9fe:a9fe",
                "ff02::1",
                "::",
                "::ffff:169.254.169.254",
                "::169.254.169.254",
                "::ffff:0:169.254.169.254",
                "64:ff9b::a9fe:a9fe",
                "64:ff9b:1::a9fe:a9fe",
                "64:ff9b:1:a9fe:a9:fe00::",
                "64:ff9b:1:0:a9:fea9:fe00:0",
                "2002:a9fe:a9fe::1",
                "2001:0:a9fe:a9fe::1",
                "2001:0:4136:e378:8000:63bf:5601:5601",
                "2001:db8::5efe:169.254.169.254",
                "2001:db8::200:5efe:169.254.169.254",
                "::ffff:100.100.100.200",
            ],
        );
    }

    #[test]
    fn private_addresses_are_told_from_public_ones() {
        check(
            Standing::Private,
            &[
                "127.0.0.1",
                "127.9.9.9",
                "10.0.0.7",
                "172.16.0.1",
                "172.31.255.255",
                "192.168.1.1",
                "100.64.0.1",
                "100.127.255.255",
                "0.1.2.3",
                "198.18.0.1",
                "240.0.0.1",
                "::1",
                "fc00::1",
                "fd12:3456::1",
                "fec0::1",
                "::ffff:10.0.0.1",
                "::127.0.0.1",
                "64:ff9b::a00:1",
                "64:ff9b:1::808:808",
                "2002:7f00:1::1",
            ],
        );
        check(
            Standing::Public,
            &[
                "1.1.1.1",
                "100.63.255.255",
                "100.128.0.1",
                "172.15.0.1",
                "172.32.0.1",
                "169.253.255.255",
                "198.20.0.1",
                "2606:4700::1111",
                "64:ff9b::808:808",
                "2002:101:101::1",
                "::ffff:8.8.8.8",
            ],
        );
    }

    #[test]
    fn local_names_are_those_that_nobody_outside_can_own() {
        for name in [
            "localhost",
            "LOCALHOST.",
            "api.localhost",
            "vllm",
            "vllm_1",
            "printer.local",
            "vllm.models.svc.cluster.local",
            "vllm.models.svc",
            "llm.corp.internal",
            "gpu.lan",
            "nas.home.arpa",
            "a.test",
        ] {
            assert!(is_local_name(name), "{name}");
        }
        for name in [
            "api.openai.com",
            "vllm.models",
            "localhost.example.com",
            "local.example",
            "arpa.home.example",
            "home.arpa.example",
            "svc.ai",
        ] {
            assert!(!is_local_name(name), "{name}");
        }
    }
}
