//! TLS and socket files as an operator uses them: certificates in files, the command line over https and through a socket
//! file, a renewal under a running process, and programs that others have written as clients.

use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

use crate::harness::process::signalled;
use crate::harness::temp::Temp;
use crate::harness::{Config, Face, Lintel, Provider, dialect, until};

/// Makes an authority and gives what signs with it.
pub(crate) fn authority(dir: &Path) -> Issuer<'static, KeyPair> {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let cert = params.self_signed(&key).unwrap();
    std::fs::write(dir.join("ca.pem"), cert.pem()).unwrap();
    Issuer::new(params, key)
}

/// Puts a pair for loopback into `dir`, each file whole at once.
pub(crate) fn issue(dir: &Path, issuer: &Issuer<'static, KeyPair>, subject: &str, days: i32) {
    let key = KeyPair::generate().unwrap();
    let names = ["localhost", "127.0.0.1"].map(str::to_owned);
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name.push(DnType::CommonName, subject);
    let day = Duration::from_secs(24 * 3600);
    let begun = SystemTime::now() - 3 * day;
    params.not_before = begun.into();
    params.not_after = (begun + day * u32::try_from(days + 3).unwrap()).into();
    let cert = params.signed_by(&key, issuer).unwrap();
    for (name, text) in [("cert.pem", cert.pem()), ("key.pem", key.serialize_pem())] {
        let next = dir.join(format!("{name}.next"));
        std::fs::write(&next, text).unwrap();
        std::fs::rename(next, dir.join(name)).unwrap();
    }
}

fn tls(dir: &Path) -> String {
    format!(
        "{{ cert: \"file:{0}/cert.pem\", key: \"file:{0}/key.pem\" }}",
        dir.display()
    )
}

/// The command line, told where the admin listener is.
fn cli(lintel: &Lintel, url: &str, args: &[&str]) -> Output {
    lintel.cli_at(url, args)
}

#[test]
fn both_listeners_speak_tls_and_a_renewal_needs_no_restart() {
    let dir = Arc::new(Temp::new());
    let issuer = authority(dir.path());
    issue(dir.path(), &issuer, "first", 300);
    let provider = Provider::start(dialect::answer);
    let config = Config::of(&provider)
        .line(&format!("tls: {}", tls(dir.path())))
        .admin(&format!(
            "{{ listen: \"127.0.0.1:0\", tls: {} }}",
            tls(dir.path())
        ));
    let lintel = Lintel::start_in(dir.clone(), &config);
    let url = format!("https://{}", lintel.admin);
    let ca = dir.path().join("ca.pem").display().to_string();

    // The command line, with the authority and without.
    let made = cli(
        &lintel,
        &url,
        &[
            "key",
            "--ca",
            &ca,
            "create",
            "--tenant",
            "acme",
            "--project",
            "search",
            "--direct",
            "--json",
        ],
    );
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    let key: serde_json::Value = serde_json::from_slice(&made.stdout).unwrap();
    let key = key["key"].as_str().unwrap();
    let untrusted = cli(&lintel, &url, &["tenant", "list"]);
    assert_eq!(untrusted.status.code(), Some(5));
    assert!(String::from_utf8_lossy(&untrusted.stderr).contains("--ca"));

    // curl, over both protocols.
    let at = format!("https://{}/v1/chat/completions", lintel.addr);
    for (flag, version) in [("--http1.1", "1.1"), ("--http2", "2")] {
        let called = curl(&[
            flag,
            "--cacert",
            &ca,
            &at,
            "-H",
            &format!("authorization: Bearer {key}"),
            "-H",
            "content-type: application/json",
            "-d",
            &Face::Openai.body("up/m", false),
        ]);
        let Some(called) = called else { continue };
        assert_eq!(called, format!("{version} 200"), "{flag}");
    }

    // A pair that doesn't fit changes nothing, and is told; one that fits is in force without a restart.
    std::fs::write(
        dir.path().join("key.pem"),
        KeyPair::generate().unwrap().serialize_pem(),
    )
    .unwrap();
    until("the refusal is told", || {
        lintel
            .output()
            .contains("is not the key of the certificate")
    });
    assert_eq!(served(&lintel, &ca).as_deref(), Some("CN=first"));
    issue(dir.path(), &issuer, "second", 300);
    until("the renewal is in force", || {
        served(&lintel, &ca).as_deref() == Some("CN=second")
    });
    assert!(
        lintel.output().contains("\"actor\":\"certificate\""),
        "{}",
        lintel.output()
    );
}

/// The subject that the data listener shows, by `openssl`.
fn served(lintel: &Lintel, ca: &str) -> Option<String> {
    let shown = Command::new("sh")
        .arg("-c")
        .arg(format!(
            "openssl s_client -connect {} -CAfile {ca} </dev/null 2>/dev/null | openssl x509 -noout -subject -nameopt RFC2253",
            lintel.addr
        ))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&shown.stdout).into_owned();
    text.trim().strip_prefix("subject=").map(str::to_owned)
}

/// Version and status of an answer to `curl`; none when this machine's can't speak the protocol.
pub(crate) fn curl(args: &[&str]) -> Option<String> {
    let features = Command::new("curl").arg("--version").output().ok()?;
    if args.contains(&"--http2") && !String::from_utf8_lossy(&features.stdout).contains("HTTP2") {
        return None;
    }
    let out = Command::new("curl")
        .args([
            "-sS",
            "--max-time",
            "20",
            "-o",
            "/dev/null",
            "-w",
            "%{http_version} %{http_code}",
        ])
        .args(args)
        .output()
        .ok()?;
    assert!(
        out.status.success(),
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
    Some(String::from_utf8_lossy(&out.stdout).into_owned())
}

#[test]
fn the_control_api_at_a_socket_file() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = Arc::new(Temp::new());
    let provider = Provider::start(dialect::answer);
    let socket = dir.path().join("admin.sock");
    let url = format!("unix:{}", socket.display());
    let config = Config::of(&provider).admin(&format!("{{ listen: \"{url}\" }}"));
    let mut lintel = Lintel::start_in(dir.clone(), &config);
    assert_eq!(
        std::fs::metadata(&socket).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let listed = cli(&lintel, &url, &["tenant", "list", "--json"]);
    assert!(
        listed.status.success(),
        "{}",
        String::from_utf8_lossy(&listed.stderr)
    );
    // It changes hands with everything else, and outlives the process that made it.
    let old = lintel.pid();
    lintel.upgrade().unwrap();
    lintel.gone(old);
    assert!(cli(&lintel, &url, &["tenant", "list"]).status.success());
    let heir = lintel.pid();
    signalled(heir, "TERM");
    lintel.gone(heir);
    assert!(!socket.exists());
    // Left behind by a process that was killed, it is replaced; after an orderly end it is gone.
    let mut lintel = Lintel::start_in(dir.clone(), &config);
    lintel.kill();
    assert!(socket.exists());
    let mut lintel = Lintel::start_in(dir.clone(), &config);
    assert!(cli(&lintel, &url, &["tenant", "list"]).status.success());
    lintel.signal("TERM");
    assert!(lintel.ended().success());
    assert!(!socket.exists());
}

#[test]
fn check_tells_what_is_wrong_with_a_pair() {
    let dir = Temp::new();
    let issuer = authority(dir.path());
    let yaml = |tls: &str| {
        let text = format!("{tls}\nproviders: {{ box: {{ protocol: sandbox }} }}\n");
        std::fs::write(dir.path().join("lintel.yaml"), text).unwrap();
        let checked = crate::harness::process::command(&dir)
            .args(["check"])
            .output()
            .unwrap();
        let said = [checked.stdout, checked.stderr].concat();
        (
            checked.status.success(),
            String::from_utf8_lossy(&said).into_owned(),
        )
    };
    let pair = format!("tls: {}", tls(dir.path()));
    for (days, wanted) in [(300, ""), (5, "expires on"), (-1, "has expired")] {
        issue(dir.path(), &issuer, "one", days);
        let (sound, said) = yaml(&pair);
        assert!(sound && said.contains(wanted), "{days}: {said}");
        assert_eq!(
            said.contains("warning: lintel.yaml:1:8: tls.cert: "),
            !wanted.is_empty(),
            "{said}"
        );
    }
    std::fs::write(
        dir.path().join("key.pem"),
        KeyPair::generate().unwrap().serialize_pem(),
    )
    .unwrap();
    let (sound, said) = yaml(&pair);
    assert!(
        !sound && said.contains("tls.key: is not the key of the certificate"),
        "{said}"
    );
    let (sound, said) = yaml("tls: { cert: \"file:/nowhere\", key: \"file:/nowhere\" }");
    assert!(
        !sound
            && said.contains("tls.cert: can't read /nowhere")
            && said.contains("tls.key: can't read"),
        "{said}"
    );
    let (sound, said) = yaml("admin: { listen: \"0.0.0.0:8081\" }");
    assert!(sound && said.contains("without TLS"), "{said}");
}
