//! `lintel.yaml` for a test: what the tests need said, nothing else. The only file that knows the configuration's words.

use std::fmt::Write as _;
use std::path::Path;

use crate::harness::provider::Provider;

/// A configuration that is still being written.
#[derive(Debug, Clone, Default)]
pub(crate) struct Config {
    providers: Vec<(String, String)>,
    routes: Vec<(String, Route)>,
    limits: Vec<(String, String)>,
    admin: Option<String>,
    lines: Vec<String>,
}

/// A route that is still being written.
#[derive(Debug, Clone, Default)]
pub(crate) struct Route {
    settings: String,
    tiers: Vec<String>,
}

impl Route {
    /// A route without tiers.
    pub(crate) fn new() -> Route {
        Route::default()
    }

    /// A route of one target.
    pub(crate) fn to(target: &str) -> Route {
        Route::new().tier(&[(target, 1)])
    }

    /// With a setting: `first_token`, `300ms`.
    pub(crate) fn set(mut self, name: &str, value: &str) -> Route {
        let _ = writeln!(self.settings, "    {name}: {value}");
        self
    }

    /// With one more tier of `provider/model` and weight.
    pub(crate) fn tier(mut self, targets: &[(&str, u32)]) -> Route {
        let rows: Vec<String> = targets
            .iter()
            .map(|(target, weight)| {
                let (provider, model) = target.split_once('/').unwrap();
                format!("{{ provider: {provider}, model: \"{model}\", weight: {weight} }}")
            })
            .collect();
        self.tiers.push(rows.join(", "));
        self
    }
}

impl Config {
    /// The two providers `up` (OpenAI's protocol) and `claude` (Anthropic's), both played by `provider`.
    pub(crate) fn of(provider: &Provider) -> Config {
        let port = provider.addr.port();
        Config::default()
            .openai("up", port)
            .anthropic("claude", port)
    }

    /// With a provider that speaks OpenAI's protocol at a loopback port.
    pub(crate) fn openai(self, name: &str, port: u16) -> Config {
        let url = format!("http://127.0.0.1:{port}/v1");
        self.provider(
            name,
            &format!("{{ protocol: openai, base_url: \"{url}\", api_key: \"{UPSTREAM_KEY}\" }}"),
        )
    }

    /// With a provider that speaks Anthropic's protocol at a loopback port.
    pub(crate) fn anthropic(self, name: &str, port: u16) -> Config {
        let url = format!("http://127.0.0.1:{port}");
        self.provider(
            name,
            &format!("{{ protocol: anthropic, base_url: \"{url}\", api_key: \"{UPSTREAM_KEY}\" }}"),
        )
    }

    /// With a provider as written.
    pub(crate) fn provider(mut self, name: &str, yaml: &str) -> Config {
        self.providers.push((name.to_owned(), yaml.to_owned()));
        self
    }

    /// With a route.
    pub(crate) fn route(mut self, name: &str, route: Route) -> Config {
        self.routes.push((name.to_owned(), route));
        self
    }

    /// With a limit: `body`, `1MB`.
    pub(crate) fn limit(mut self, name: &str, value: &str) -> Config {
        self.limits.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With the admin section as written: `{ listen: "unix:/…" }`.
    pub(crate) fn admin(mut self, yaml: &str) -> Config {
        self.admin = Some(yaml.to_owned());
        self
    }

    /// With one more line at the top: `tls: { … }`.
    pub(crate) fn line(mut self, yaml: &str) -> Config {
        self.lines.push(yaml.to_owned());
        self
    }

    /// The text, with the store at `store`.
    pub(crate) fn yaml(&self, store: &Path) -> String {
        let admin = self.admin.as_deref();
        let mut out = format!(
            "listen: 127.0.0.1:0\nadmin: {}\nstore: {}\n",
            admin.unwrap_or("{ listen: \"127.0.0.1:0\" }"),
            store.display()
        );
        for line in &self.lines {
            let _ = writeln!(out, "{line}");
        }
        out.push_str("prices: { files: [prices.yaml], unknown_model: allow_unpriced }\n");
        if !self.limits.is_empty() {
            let rows: Vec<String> = self
                .limits
                .iter()
                .map(|(n, v)| format!("{n}: {v}"))
                .collect();
            let _ = writeln!(out, "limits: {{ {} }}", rows.join(", "));
        }
        if !self.providers.is_empty() {
            out.push_str("providers:\n");
            for (name, yaml) in &self.providers {
                let _ = writeln!(out, "  {name}: {yaml}");
            }
        }
        if !self.routes.is_empty() {
            out.push_str("routes:\n");
        }
        for (name, route) in &self.routes {
            let _ = writeln!(out, "  {name}:\n{}    tiers:", route.settings);
            for tier in &route.tiers {
                let _ = writeln!(out, "      - targets: [ {tier} ]");
            }
        }
        out
    }
}

/// The variable that holds the providers' credential, as configuration names it.
const UPSTREAM_KEY: &str = "${TEST_UPSTREAM_KEY}";

/// The providers' credential: must reach the provider and nobody else.
pub(crate) const UPSTREAM_SECRET: &str = "sk-upstream-0123456789abcdefghijklmnop";

/// Prices of every model at the tests' two providers: 9 tokens in and 3 out cost 0.00002025 USD.
pub(crate) const PRICES: &str = r#"prices:
  - { provider: up, model: "*", effective: 2020-01-01, source: tests, input: "1.50", output: "2.25" }
  - { provider: claude, model: "*", effective: 2020-01-01, source: tests, input: "1.50", output: "2.25" }
"#;
