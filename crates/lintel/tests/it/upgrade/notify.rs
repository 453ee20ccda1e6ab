//! What systemd is told, heard on a socket that stands for its own.

use std::os::unix::net::UnixDatagram;
use std::sync::Arc;

use crate::harness::temp::Temp;
use crate::harness::wait::PATIENCE;
use crate::harness::{Config, Lintel, Provider, dialect};

#[test]
fn systemd_hears_of_start_reload_hand_over_and_stop() {
    let provider = Provider::start(dialect::answer);
    let dir = Arc::new(Temp::new());
    let socket = dir.path().join("notify");
    let systemd = UnixDatagram::bind(&socket).unwrap();
    systemd.set_read_timeout(Some(PATIENCE)).unwrap();
    let hear = || {
        let mut bytes = [0; 4096];
        let length = systemd.recv(&mut bytes).unwrap();
        String::from_utf8(bytes[..length].to_vec()).unwrap()
    };
    Lintel::write_config(&dir, &Config::of(&provider));
    let env = [("NOTIFY_SOCKET", socket.to_str().unwrap())];
    let mut lintel = Lintel::try_start(dir, &["serve", "--config", "lintel.yaml"], &env).unwrap();
    assert_eq!(hear(), "READY=1\n");
    lintel.signal("HUP");
    let reloading = hear();
    assert!(
        reloading.starts_with("RELOADING=1\nMONOTONIC_USEC="),
        "{reloading}"
    );
    assert_eq!(hear(), "READY=1\n");
    lintel.upgrade().unwrap();
    let heard = [hear(), hear()];
    let main = format!("MAINPID={}\n", lintel.pid());
    assert!(
        heard.contains(&main) && heard.contains(&"READY=1\n".to_owned()),
        "{heard:?}"
    );
    assert!(lintel.ended().success());
    lintel.signal("TERM");
    assert_eq!(
        hear(),
        "STOPPING=1\n",
        "the old process says nothing when it ends"
    );
    let heir = lintel.pid();
    lintel.gone(heir);
}
