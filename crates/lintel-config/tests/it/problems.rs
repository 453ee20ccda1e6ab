//! Every mistake is found at once, at its line and column, with the nearest valid word.

use crate::support::{load, load_with, problems};

const PROVIDER: &str =
    "providers:\n  p: { protocol: openai, base_url: http://127.0.0.1:1/v1, api_key: \"${KEY}\" }\n";

/// The problems of a file that declares one good provider and `text`.
fn check(text: &str, expect: &[&str]) {
    let found = problems(&format!("{PROVIDER}{text}"));
    assert_eq!(found, expect, "{text}");
}

#[test]
fn twelve_mistakes_are_twelve_problems() {
    let found = problems(include_str!("../golden/twelve-mistakes.yaml"));
    let golden = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/golden/twelve-mistakes.txt"
    );
    let shown = found.join("\n") + "\n";
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(golden, &shown).unwrap();
    }
    assert_eq!(shown, std::fs::read_to_string(golden).unwrap());
    assert_eq!(found.len(), 12);
    assert!(
        !shown.contains("sk-this-is-the-secret-itself"),
        "a secret is never repeated"
    );
}

#[test]
fn an_empty_or_wrong_file_is_no_configuration() {
    assert_eq!(problems(""), ["lintel.yaml: `providers` is missing"]);
    assert_eq!(
        problems("# nothing\n"),
        ["lintel.yaml: `providers` is missing"]
    );
    assert_eq!(problems("{}"), ["lintel.yaml:1:1: `providers` is missing"]);
    assert_eq!(
        problems("providers: {}"),
        ["lintel.yaml:1:1: providers: may not be empty"]
    );
    assert_eq!(
        problems("- a"),
        ["lintel.yaml:1:1: expected a mapping, found a list"]
    );
    assert_eq!(
        problems("just text"),
        ["lintel.yaml:1:1: expected a mapping, found a text"]
    );
    assert!(
        problems("providers: {")
            .first()
            .is_some_and(|p| p.contains("not YAML"))
    );
}

#[test]
fn durations_sizes_and_numbers_need_their_units_and_bounds() {
    check(
        "limits: { drain: 30 }\n",
        &[
            "lintel.yaml:3:18: limits.drain: `30` is not a length of time up to 3650d: write a whole number and a unit, such as 500ms, 2s, 10m, 24h or 30d",
        ],
    );
    check(
        "store: 7\n",
        &["lintel.yaml:3:8: store: expected a text, found the number 7 (put it in quotes)"],
    );
    check(
        "limits: { body: 32MiB }\n",
        &[
            "lintel.yaml:3:17: limits.body: `32MiB` is not a size: write a whole number and a unit, such as 64KB, 32MB or 2GB",
        ],
    );
    check(
        "limits: { in_flight: 0 }\n",
        &["lintel.yaml:3:22: limits.in_flight: 0 is not between 1 and 10000000"],
    );
    check(
        "node: 70000\n",
        &["lintel.yaml:3:7: node: 70000 is not between 0 and 65535"],
    );
    check(
        "limits: { header_timeout: 0s }\n",
        &[
            "lintel.yaml:3:27: limits.header_timeout: must be longer than nothing, else every call fails",
        ],
    );
    check(
        "limits: { in_flight_bytes: 16MB }\n",
        &[
            "lintel.yaml:3:28: limits.in_flight_bytes: 16MB is less than `body` (32MB): a body of that size could never be held",
        ],
    );
    check(
        "limits: { headers: 100B }\n",
        &["lintel.yaml:3:20: limits.headers: 100B is too little: at least 1KB is needed"],
    );
}

#[test]
fn words_are_checked_and_corrected() {
    check(
        "durability: dsk\n",
        &["lintel.yaml:3:13: durability: `dsk` is none of process, disk; did you mean `disk`?"],
    );
    check(
        "log: { calls: yes }\n",
        &["lintel.yaml:3:15: log.calls: `yes` is none of on, off"],
    );
    check(
        "log: { levle: info }\n",
        &["lintel.yaml:3:8: log.levle: unknown key; did you mean `level`?"],
    );
    check(
        "log: { colour: red }\n",
        &[
            "lintel.yaml:3:8: log.colour: unknown key; known here: calls, format, level, sample, slow",
        ],
    );
    check(
        "cache: { memory: 256MB }\n",
        &[
            "lintel.yaml:3:1: cache: unknown key; known here: admin, backup, durability, limits, listen, log, node, prices, providers, retention, routes, store, tenants, tls",
        ],
    );
}

#[test]
fn listeners_stand_apart_and_admin_stays_home() {
    check(
        "admin: { listen: 127.0.0.1:8080 }\n",
        &[
            "lintel.yaml:3:18: admin.listen: 127.0.0.1:8080 overlaps with `listen: 127.0.0.1:8080`: the two listeners need ports of their own",
        ],
    );
    check(
        "listen: 0.0.0.0:8081\n",
        &[
            "lintel.yaml:1:1: admin.listen: 127.0.0.1:8081 overlaps with `listen: 0.0.0.0:8081`: the two listeners need ports of their own",
        ],
    );
    let off = "admin: { listen: 0.0.0.0:9000 }\n";
    check(
        off,
        &[
            "lintel.yaml:3:18: admin.listen: 0.0.0.0:9000 is off loopback: set the environment variable LINTEL_ADMIN_TOKEN, or listen at 127.0.0.1",
        ],
    );
    let text = format!("{PROVIDER}{off}");
    assert!(load_with(&text, &[("KEY", "k"), ("LINTEL_ADMIN_TOKEN", "t")], &[]).is_ok());
    assert!(
        load(&format!(
            "{PROVIDER}listen: 0.0.0.0:8080\nadmin: {{ listen: 127.0.0.1:0 }}\n"
        ))
        .is_ok()
    );
}

#[test]
fn providers_are_known_reachable_and_never_metadata_services() {
    let provider = |body: &str| problems(&format!("providers:\n  p: {{ {body} }}\n"));
    let check = |body: &str, expect: &str| {
        assert_eq!(
            provider(body),
            [format!("lintel.yaml:2:{expect}")],
            "{body}"
        )
    };
    check(
        "protocol: openai, host: openai-compatible",
        "3: providers.p: `base_url` is missing: write where this openai-compatible begins",
    );
    check(
        "protocol: openai, base_url: 'ftp://a'",
        "36: providers.p.base_url: a base URL begins with https:// or http://",
    );
    check(
        "protocol: openai, base_url: 'http://metadata.google.internal/v1'",
        "36: providers.p.base_url: link-local and cloud metadata addresses are never called: they hand out this machine's own credentials",
    );
    check(
        "protocol: openai, host: anthropic",
        "32: providers.p.host: host `anthropic` speaks anthropic, but this provider's protocol is openai",
    );
    assert!(provider("protocol: openai, host: opnai")[0].ends_with("did you mean `openai`?"));
    check(
        "protocol: sandbox, api_key: x",
        "27: providers.p.api_key: the sandbox answers inside this process: remove this, or change the protocol",
    );
    check(
        "protocol: openai, base_url: 'http://a/v1', api_key: '${GONE}'",
        "60: providers.p.api_key: environment variable GONE is not set: export it before starting, or remove this line",
    );
    let status = provider("protocol: sandbox, sandbox: { error_status: 200 }");
    assert!(
        status[0].starts_with("lintel.yaml:2:52: providers.p.sandbox.error_status: 200 is "),
        "{status:?}"
    );
    assert_eq!(
        problems("providers:\n  a/b: { protocol: sandbox }\n"),
        ["lintel.yaml:2:3: providers.\"a/b\": a name is made of letters, digits, `-`, `_` and `.`"]
    );
}

#[test]
fn routes_have_targets_that_can_be_called_and_paid() {
    let route = |body: &str| problems(&format!("{PROVIDER}routes:\n  r: {{ {body} }}\n"));
    let check = |body: &str, expect: &str| {
        assert_eq!(route(body), [format!("lintel.yaml:4:{expect}")], "{body}")
    };
    check("tiers: []", "8: routes.r.tiers: may not be empty");
    check(
        "tiers: [{ targets: [] }]",
        "18: routes.r.tiers[0].targets: may not be empty",
    );
    check("attempts: 2", "3: routes.r: `tiers` is missing");
    check(
        "attempts: 0, tiers: [{ targets: [{ provider: p, model: gpt-4o }] }]",
        "18: routes.r.attempts: 0 is not between 1 and 16",
    );
    check(
        "deadline: 0s, tiers: [{ targets: [{ provider: p, model: gpt-4o }] }]",
        "18: routes.r.deadline: must be longer than nothing, else every call fails",
    );
    check(
        "tiers: [{ targets: [{ provider: p }] }]",
        "28: routes.r.tiers[0].targets[0]: `model` is missing",
    );
    check(
        "tiers: [{ targets: [{ provider: p, model: my-model }] }]",
        "50: routes.r.tiers[0].targets[0].model: the price book doesn't know `my-model`, so every call would be refused: add its price to a file of `prices.files`, or set `prices.unknown_model`",
    );
    check(
        "tiers: [{ targets: [{ provider: p, model: gpt-4o }, { provider: p, model: gpt-4o }] }]",
        "82: routes.r.tiers[0].targets[1].model: `gpt-4o` at `p` is in this route already: give it a larger `weight`, or more `attempts`",
    );
    check(
        "on_disconnect: { drain: 1 }, tiers: [{ targets: [{ provider: p, model: gpt-4o }] }]",
        "32: routes.r.on_disconnect.drain: `1` is not a length of time up to 3650d: write a whole number and a unit, such as 500ms, 2s, 10m, 24h or 30d",
    );
    check(
        "on_disconnect: cancle, tiers: [{ targets: [{ provider: p, model: gpt-4o }] }]",
        "23: routes.r.on_disconnect: expected cancel or {drain: …}, found a text; did you mean `cancel`?",
    );
}

#[test]
fn a_choice_says_what_was_meant() {
    let route = |body: &str| {
        problems(&format!(
            "{PROVIDER}routes:\n  r: {{ on_disconnect: {body}, tiers: [{{ targets: [{{ provider: p, model: gpt-4o }}] }}] }}\n"
        ))
    };
    let expect = [
        "lintel.yaml:4:8: routes.r.on_disconnect: `drain` is missing",
        "lintel.yaml:4:25: routes.r.on_disconnect.drian: unknown key; did you mean `drain`?",
    ];
    assert_eq!(route("{ drian: 1s }"), expect);
    assert_eq!(
        route("[cancel]"),
        ["lintel.yaml:4:8: routes.r.on_disconnect: expected cancel or {drain: …}, found a list"]
    );
}

#[test]
fn a_broken_part_does_not_hide_or_blame_another() {
    let text = "providers:\n  p: { protocl: openai }\nroutes:\n  r: { tiers: [{ targets: [{ provider: p, model: m }] }] }\n  s: { tier: [] }\ntenants:\n  t: { projects: { q: { routes: [s, r, x] } } }\n";
    let expect = [
        "lintel.yaml:2:3: providers.p: `protocol` is missing",
        "lintel.yaml:2:8: providers.p.protocl: unknown key; did you mean `protocol`?",
        "lintel.yaml:5:3: routes.s: `tiers` is missing",
        "lintel.yaml:5:8: routes.s.tier: unknown key; did you mean `tiers`?",
        "lintel.yaml:7:40: tenants.t.projects.q.routes[2]: no route is called `x`: declare it under `routes`",
    ];
    assert_eq!(problems(text), expect);
}

#[test]
fn price_files_are_checked_in_their_own_lines() {
    let main = format!(
        "{PROVIDER}prices: {{ files: [a.yaml, b.yaml, gone.yaml], unknown_model: {{ assume: nothing-like-it }} }}\n"
    );
    let good = "prices:\n  - { model: m, effective: 2026-01-01, source: s, input: \"1\", output: \"2\" }\n";
    let bad = "prices:\n  - { model: m, effective: 2026-02-30, source: s, input: 1, outptu: \"2\" }\n  - { model: '*', effective: 2026-01-01, source: s }\n";
    let found =
        load_with(&main, &[("KEY", "k")], &[("a.yaml", good), ("b.yaml", bad)]).unwrap_err();
    let shown: Vec<String> = found.0.iter().map(ToString::to_string).collect();
    let expect = [
        "lintel.yaml:3:35: prices.files[2]: can't read gone.yaml: entity not found",
        "lintel.yaml:3:72: prices.unknown_model.assume: the price book doesn't know `nothing-like-it`: assume a model that it knows, or add its price to a file of `prices.files`",
        "b.yaml:2:28: prices[0].effective: `2026-02-30` is not a date: write a calendar day, such as 2025-08-07",
        "b.yaml:2:58: prices[0].input: expected a text, found the number 1 (put it in quotes)",
        "b.yaml:2:61: prices[0].outptu: unknown key; did you mean `output`?",
    ];
    assert_eq!(shown, expect);
    let twice =
        format!("{good}  - {{ model: m, effective: 2026-01-01, source: s, input: \"3\" }}\n");
    let found = load_with(
        &main,
        &[("KEY", "k")],
        &[("a.yaml", good), ("b.yaml", &twice), ("gone.yaml", good)],
    )
    .unwrap_err();
    assert!(
        found
            .to_string()
            .contains("b.yaml:3:5: prices[1]: two prices for `m@2026-01-01`"),
        "{found}"
    );
}

#[test]
fn oddities_warn_and_stop_nothing() {
    let text = format!(
        "{PROVIDER}  openai: {{ protocol: openai }}\n  far: {{ protocol: openai, base_url: 'http://10.0.0.1/v1', api_key: '${{KEY}}' }}\nroutes:\n  p/gpt-4o: {{ tiers: [{{ targets: [{{ provider: p, model: gpt-4o }}] }}] }}\n"
    );
    let shown: Vec<String> = load(&text)
        .unwrap()
        .warnings
        .iter()
        .map(ToString::to_string)
        .collect();
    let expect = [
        "lintel.yaml:4:28: providers.far.base_url: the credential crosses the network in clear text: use https",
        "lintel.yaml:3:3: providers.openai: no `api_key`, so calls go without a credential; usual here: api_key: \"${OPENAI_API_KEY}\"",
        "lintel.yaml:6:3: routes.\"p/gpt-4o\": the route hides the model `gpt-4o` of provider `p` from direct calls: a route's name wins",
    ];
    assert_eq!(shown, expect);
}

proptest::proptest! {
    /// A file that was cut or edited by accident either loads or says where it is wrong.
    #[test]
    fn damaged_files_are_refused_with_reasons(at in 0usize..1_400, length in 0usize..40, with in "[a-z:{}\\[\\] \n\"-]{0,4}") {
        let whole = include_str!("../../../../examples/two-providers.yaml");
        let start = at.min(whole.len());
        let end = (start + length).min(whole.len());
        let damaged = format!("{}{with}{}", &whole[..start], &whole[end..]);
        if let Err(problems) = load_with(&damaged, &[("OPENAI_API_KEY", "a"), ("ANTHROPIC_API_KEY", "b")], &[]) {
            proptest::prop_assert!(!problems.0.is_empty());
            proptest::prop_assert!(problems.0.iter().all(|p| !p.message.is_empty() && p.line <= damaged.lines().count() + 1));
        }
    }
}

#[test]
fn thirty_faults_of_every_kind_are_told_in_one_go() {
    let mut text = String::from(
        "lisen: here\nlog: { level: loud, format: xml, sample: 11, slow: soon, extra: 1 }\nadmin: { listen: 8081 }\nnode: -1\ndurability: dsk\nstore: \"\"\nlimits:\n  body: 1\n  event: 0B\n  headers: 2B\n  in_flight: 0\n  connections: 99999999\n  drain: 5 minutes\n  header_timeout: 0s\nprices: { files: [gone.yaml], unknown_model: maybe }\ntenants: { \"a b\": { projects: { p: { routes: [nowhere] } } } }\nproviders:\n  one: { protocol: opnai }\n  two: { protocol: openai, api_key: literal }\n  three: { protocol: openai, base_url: ftp://x }\n  four: { protocol: openai, host: nohost }\n  five: { protocol: sandbox, api_key: \"${KEY}\" }\n  six: { protocol: openai, api_key: \"${UNSET}\" }\n  \"s/even\": { protocol: sandbox }\nroutes:\n",
    );
    for i in 0..6 {
        text.push_str(&format!("  r{i}: {{ attempts: {}, deadline: 0s, tiers: [ {{ targets: [ {{ provider: nobody{i}, model: m }} ] }} ] }}\n", i * 17));
    }
    text.push_str("  empty: { tiers: [] }\n  none: {}\n");
    let found = problems(&text);
    assert!(found.len() >= 30, "{}: {found:#?}", found.len());
    let lines: Vec<usize> = found
        .iter()
        .map(|p| p.split(':').nth(1).unwrap().parse().unwrap())
        .collect();
    assert!(lines.is_sorted(), "in the order of the text: {found:#?}");
    for place in [
        "lisen",
        "log.level",
        "log.sample",
        "limits.in_flight",
        "prices.unknown_model",
        "providers.two.api_key",
        "providers.six.api_key",
        "routes.none",
        "tenants.\"a b\"",
    ] {
        assert!(
            found.iter().any(|p| p.contains(&format!(": {place}"))),
            "{place} in {found:#?}"
        );
    }
    assert!(
        !found
            .iter()
            .any(|p| p.contains("literal\"") || p.contains("`literal`")),
        "a secret is not repeated"
    );
}

#[test]
fn odd_texts_are_read_or_refused_and_never_take_long() {
    const GOOD: &str = "providers: { box: { protocol: sandbox } }\n";
    for good in [
        format!("\u{feff}{GOOD}"),
        GOOD.replace('\n', "\r\n"),
        format!("%YAML 1.2\n---\n{GOOD}...\n"),
        format!("# {}\n{GOOD}", "é".repeat(10_000)),
        format!("{GOOD}# no newline at the end"),
        "{\"providers\":{\"box\":{\"protocol\":\"sandbox\"}}}".to_owned(),
    ] {
        assert_eq!(problems(&good), Vec::<String>::new(), "{good:.40}");
    }
    for (odd, word) in [
        (format!("a\u{0}b: 1\n{GOOD}"), ""),
        (format!("{GOOD}routes: &r {{}}\ntenants: *r\n"), "anchors"),
        (format!("a: &x 1\nb: &x 2\n{GOOD}"), "anchors"),
        (format!("{GOOD}routes: !!map {{}}\n"), "tags"),
        (format!("{GOOD}{GOOD}"), "duplicate key"),
        (format!("{GOOD}? [a]\n: 1\n"), "key is a word"),
        ("[".repeat(200_000), "limit exceeded"),
        ("{a: ".repeat(200_000), "limit exceeded"),
        (format!("{GOOD}\troutes: {{}}\n"), ""),
        ("- a\n- b\n".to_owned(), "expected a mapping"),
        ("\"just text\"".to_owned(), "expected a mapping"),
    ] {
        let found = problems(&odd);
        assert!(
            !found.is_empty() && found.iter().any(|p| p.contains(word)),
            "{odd:.40}: {found:.3?}"
        );
    }
    // Ten megabytes that say little, and a megabyte of faults.
    let long = format!("# {}\n{GOOD}", "x".repeat(10 << 20));
    assert_eq!(problems(&long), Vec::<String>::new());
    let mut text = GOOD.to_owned() + "routes:\n";
    for i in 0..12_000 {
        text.push_str(&format!(
            "  r{i}: {{ tiers: [ {{ targets: [ {{ provider: bx, model: m }} ] }} ] }}\n"
        ));
    }
    assert_eq!(problems(&text).len(), 12_000);
}
