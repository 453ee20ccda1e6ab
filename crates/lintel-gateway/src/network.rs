//! Whom a network address stands for, where clients are counted by address.

use std::net::{IpAddr, Ipv6Addr};

/// What counts as one client: an IPv4 address, however it is written, or the /64 that an IPv6 host has for itself
/// (<https://www.rfc-editor.org/rfc/rfc6177>).
pub fn client_network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let network = v6.to_bits() & !u128::from(u64::MAX);
            IpAddr::V6(Ipv6Addr::from_bits(network))
        }
        v4 => v4,
    }
}
