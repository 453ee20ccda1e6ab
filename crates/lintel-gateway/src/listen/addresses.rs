//! How many connections each client address has open, when that is capped.
//!
//! An address is a client as the network shows it: an IPv4 address, or the /64 that an IPv6 host is given whole. Costs nothing
//! while there is no cap, and a short lock a connection (never a call) while there is.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::network::client_network;

/// Open connections by address. Only of those that were accepted under a cap.
#[derive(Debug, Default)]
pub(crate) struct Addresses(Mutex<HashMap<IpAddr, u32>>);

/// One connection's place; none when there was no cap.
pub(crate) struct Share(Option<(Arc<Addresses>, IpAddr)>);

/// The address has as many as it may.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Full;

impl Addresses {
    /// A place for one more connection of `address`, of at most `most`.
    pub(crate) fn hold(
        addresses: &Arc<Self>,
        address: IpAddr,
        most: Option<u32>,
    ) -> Result<Share, Full> {
        let Some(most) = most else {
            return Ok(Share(None));
        };
        let client = client_network(address);
        let mut open = addresses.0.lock();
        let count = open.entry(client).or_insert(0);
        if *count >= most {
            return Err(Full);
        }
        *count += 1;
        Ok(Share(Some((Arc::clone(addresses), client))))
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let Some((addresses, client)) = &self.0 else {
            return;
        };
        let mut open = addresses.0.lock();
        if let Some(count) = open.get_mut(client) {
            *count -= 1;
            if *count == 0 {
                open.remove(client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_has_its_own_share_and_gets_it_back() {
        let addresses = Arc::new(Addresses::default());
        let hold = |text| Addresses::hold(&addresses, at(text), Some(2));
        let (first, _second) = (
            hold("192.0.2.1").unwrap(),
            hold("::ffff:192.0.2.1").unwrap(),
        );
        assert!(hold("192.0.2.1").is_err());
        let other = hold("192.0.2.2").unwrap();
        drop((first, other));
        assert!(hold("192.0.2.1").is_ok());
        assert_eq!(addresses.0.lock().len(), 1, "who has none takes no memory");
    }

    #[test]
    fn an_ipv6_network_is_one_client() {
        let addresses = Arc::new(Addresses::default());
        let hold = |text| Addresses::hold(&addresses, at(text), Some(1));
        let _one = hold("2001:db8::1").unwrap();
        assert!(hold("2001:db8::2").is_err());
        assert!(hold("2001:db8:0:1::1").is_ok());
    }

    #[test]
    fn without_a_cap_nothing_is_counted() {
        let addresses = Arc::new(Addresses::default());
        let _held = Addresses::hold(&addresses, at("192.0.2.1"), None).unwrap();
        assert!(addresses.0.lock().is_empty());
    }
}
