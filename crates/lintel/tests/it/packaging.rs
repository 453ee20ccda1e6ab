//! The files that others run Lintel by: what they promise, held against the binary and this repository.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::Stage;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// The value of a unit's directive.
fn directive<'u>(unit: &'u str, name: &str) -> &'u str {
    let mut lines = unit.lines().filter_map(|line| line.split_once('='));
    lines
        .find(|(n, _)| *n == name)
        .unwrap_or_else(|| panic!("no {name}="))
        .1
}

#[test]
fn the_service_has_what_life_depends_on() {
    let service = read("packaging/systemd/lintel.service");
    for (name, value) in [
        ("Type", "notify"),
        ("NotifyAccess", "all"),
        ("ExecReload", "/bin/kill -HUP $MAINPID"),
        ("KillMode", "mixed"),
        ("StateDirectory", "lintel"),
        ("WorkingDirectory", "/var/lib/lintel"),
        ("User", "lintel"),
        ("NoNewPrivileges", "yes"),
        ("ProtectSystem", "strict"),
        ("CapabilityBoundingSet", ""),
        ("Requires", "lintel.socket"),
    ] {
        assert_eq!(directive(&service, name), value, "{name}");
    }
    let exec = directive(&service, "ExecStart");
    assert_eq!(
        exec,
        "/usr/bin/lintel serve --config /etc/lintel/lintel.yaml"
    );
    let stop: u64 = directive(&service, "TimeoutStopSec")
        .trim_end_matches('s')
        .parse()
        .unwrap();
    assert!(
        stop > 30 + 10,
        "limits.drain is 30s unless set, and the end takes its time"
    );
    let socket = read("packaging/systemd/lintel.socket");
    assert_eq!(
        directive(&socket, "FileDescriptorName"),
        "data",
        "by which `serve` knows it"
    );
}

#[test]
fn systemd_finds_no_fault_with_the_units() {
    let Ok(version) = Command::new("systemd-analyze").arg("--version").output() else {
        println!("not run: this machine has no systemd-analyze");
        return;
    };
    println!("{}", String::from_utf8_lossy(&version.stdout));
    let dir = crate::harness::temp::Temp::new();
    // It looks whether the program is there.
    let service = read("packaging/systemd/lintel.service").replace("/usr/bin/lintel", "/bin/true");
    std::fs::write(dir.path().join("lintel.service"), service).unwrap();
    std::fs::write(
        dir.path().join("lintel.socket"),
        read("packaging/systemd/lintel.socket"),
    )
    .unwrap();
    let out = Command::new("systemd-analyze")
        .args(["verify", "--man=no"])
        .arg(dir.path().join("lintel.service"))
        .arg(dir.path().join("lintel.socket"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success() && !said.contains("lintel."), "{said}");
}

#[test]
fn the_image_is_built_from_what_is_there_and_runs_as_nobody() {
    let file = read("Dockerfile");
    let lines: Vec<&str> = file.lines().filter(|line| !line.starts_with('#')).collect();
    let of = |word: &'static str| {
        let rest = lines.iter().filter_map(move |line| line.strip_prefix(word));
        rest.map(str::trim)
    };
    for copy in of("COPY ").filter(|copy| !copy.starts_with("--from=")) {
        let words: Vec<&str> = copy.split(' ').collect();
        for source in &words[..words.len() - 1] {
            assert!(root().join(source).exists(), "COPY {source}");
        }
    }
    // Cargo refuses a workspace that lacks a member, whatever is built of it.
    let manifest = read("Cargo.toml");
    let members = manifest
        .lines()
        .find_map(|line| line.strip_prefix("members = "));
    let members: Vec<String> = serde_json::from_str(members.unwrap()).unwrap();
    let copied: Vec<&str> = of("COPY ")
        .filter_map(|copy| copy.split(' ').next())
        .collect();
    let ignored = read(".dockerignore");
    for member in &members {
        let folder = member.trim_end_matches("/*");
        assert!(copied.contains(&folder), "{member} is not copied");
        assert!(
            !ignored.lines().any(|line| line == folder),
            "{member} is not sent"
        );
    }
    let user = of("USER ").next_back().unwrap();
    let ids: Vec<u32> = user.split(':').map(|id| id.parse().unwrap()).collect();
    assert!(
        ids.iter().all(|id| *id > 0),
        "{user} is not root, by number"
    );
    assert!(
        file.contains("\nVOLUME [\"/var/lib/lintel\"]\n")
            && file.contains("LINTEL_STORE=/var/lib/lintel")
    );
    assert!(file.contains("CMD [\"/usr/bin/lintel\", \"health\"]"));
    assert!(
        ignored.lines().any(|line| line == "target") && ignored.lines().any(|line| line == ".git")
    );
}

#[test]
fn health_is_an_exit_code() {
    let mut stage = Stage::good();
    assert_eq!(stage.lintel.cli(&["health"]), "ready\n");
    stage.lintel.stop();
    let out = stage.lintel.try_cli(&["health"]);
    assert_eq!(out.status.code(), Some(5));
}
