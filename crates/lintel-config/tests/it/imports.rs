//! Configurations of LiteLLM's proxy, and what comes of each: the file and the list of what has no counterpart.
//!
//! `tests/import/<name>.yaml` beside `<name>.golden` and `<name>.lost`. After a change:
//! `UPDATE_GOLDEN=1 cargo test -p lintel-config imports`, and look at the difference.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use lintel_config::import::{Imported, litellm};

use crate::support::key_file;

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/import"))
}

fn import(text: &str) -> Imported {
    let read = |path: &Path| std::fs::read_to_string(folder().join(path));
    let imported = litellm::import(text, "config.yaml", &|_| None, &read);
    imported.unwrap_or_else(|problems| panic!("{problems}"))
}

fn list(imported: &Imported) -> String {
    imported.lost.iter().fold(String::new(), |mut text, l| {
        writeln!(
            text,
            "{}:{}: {}: {}: {} -> {}",
            l.origin,
            l.line,
            l.path,
            l.severity.name(),
            l.reason,
            l.nearest
        )
        .unwrap();
        text
    })
}

/// Every fixture: name and text.
fn fixtures() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "yaml") {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            found.push((name, std::fs::read_to_string(&path).unwrap()));
        }
    }
    assert!(found.len() >= 8);
    found.sort();
    found
}

#[test]
fn every_fixture_becomes_its_golden_file() {
    for (name, text) in fixtures() {
        let imported = import(&text);
        for (kind, text) in [("golden", imported.text.clone()), ("lost", list(&imported))] {
            let path = folder().join(format!("{name}.{kind}"));
            if std::env::var_os("UPDATE_GOLDEN").is_some() {
                std::fs::write(&path, &text).unwrap();
            }
            let golden = std::fs::read_to_string(&path).unwrap_or_default();
            assert_eq!(text, golden, "{}", path.display());
        }
    }
}

#[test]
fn what_is_written_is_sound_once_its_variables_are_set() {
    for (name, text) in fixtures() {
        let imported = import(&text);
        let account = key_file("https://oauth2.googleapis.com/token");
        let env = |variable: &str| {
            let known = imported.variables.contains(variable);
            known.then(|| {
                if variable.starts_with("VERTEX") {
                    account.clone()
                } else {
                    format!("value-of-{variable}")
                }
            })
        };
        let read = |_: &Path| Ok(account.clone());
        let loaded = lintel_config::load(&imported.text, "lintel.yaml", &env, &read);
        let loaded =
            loaded.unwrap_or_else(|problems| panic!("{name}: {problems}\n{}", imported.text));
        let odd: Vec<String> = loaded.warnings.iter().map(ToString::to_string).collect();
        assert!(odd.is_empty(), "{name}: {odd:?}");
    }
}

#[test]
fn no_secret_of_the_source_is_copied_anywhere() {
    for (name, text) in fixtures() {
        let imported = import(&text);
        let all = imported.text.clone() + &list(&imported);
        for secret in ["literal", "a-secret-of-some-length", "cache.internal"] {
            assert!(!all.contains(secret), "{name}: {secret} in\n{all}");
        }
    }
}

#[test]
fn every_setting_of_the_source_is_taken_over_or_told() {
    // Each line of these that sets something unknown to Lintel has its row in the list.
    let text = "model_list: [ { model_name: m, litellm_params: { model: openai/m, brand_new: 1 } } ]\nrouter_settings: { brand_new: 2 }\nlitellm_settings: { brand_new: 3 }\ngeneral_settings: { brand_new: 4 }\nbrand_new: 5\n";
    let told: Vec<String> = import(text).lost.iter().map(|l| l.path.clone()).collect();
    assert_eq!(
        told,
        [
            "model_list[0].litellm_params.brand_new",
            "router_settings.brand_new",
            "litellm_settings.brand_new",
            "general_settings.brand_new",
            "brand_new"
        ]
    );
}

#[test]
fn addresses_in_variables_are_read_when_they_are_set() {
    let text = "model_list: [ { model_name: m, litellm_params: { model: azure/m, api_base: os.environ/BASE, api_key: os.environ/K } } ]\n";
    let env = |name: &str| {
        (name == "BASE").then(|| "https://acme.openai.azure.com/openai/deployments/m".to_owned())
    };
    let none = |_: &Path| Err(std::io::Error::other("none"));
    let imported = litellm::import(text, "config.yaml", &env, &none).unwrap();
    assert!(
        imported
            .text
            .contains("base_url: https://acme.openai.azure.com\n"),
        "{}",
        imported.text
    );
    assert!(imported.lost.is_empty(), "{:?}", imported.lost);
}

#[test]
fn what_is_no_configuration_is_refused_with_its_place() {
    let refuse = |text: &str| {
        let none = |_: &Path| Err(std::io::Error::other("no such file"));
        litellm::import(text, "config.yaml", &|_| None, &none)
            .unwrap_err()
            .to_string()
    };
    assert!(refuse("model_list: [").contains("not YAML"));
    assert!(refuse("").contains("no model of `model_list`"));
    assert!(
        refuse("model_list: [ { model_name: a, litellm_params: { model: cohere/x } } ]")
            .contains("config.yaml:1")
    );
    let gone = refuse("include: [gone.yaml]\n");
    assert!(
        gone.contains("config.yaml:1") && gone.contains("can't read gone.yaml: no such file"),
        "{gone}"
    );
    for odd in [
        "model_list: {}\n",
        "model_list: 5\nrouter_settings: []\n",
        "litellm_settings: x\nmodel_list: [1, a, []]\n",
    ] {
        assert!(refuse(odd).contains("no model"), "{odd}");
    }
}

#[test]
fn two_secrets_are_two_accounts_and_one_secret_is_one() {
    let model = |key: &str| {
        format!(
            "  - {{ model_name: m, litellm_params: {{ model: openai/gpt-4o, api_key: {key} }} }}\n"
        )
    };
    let keys = [
        "sk-first-0000000000",
        "sk-other-0000000000",
        "sk-first-0000000000",
    ];
    let text = format!("model_list:\n{}", keys.map(model).concat());
    let imported = import(&text);
    let accounts = imported.text.matches("protocol: openai").count();
    assert_eq!(accounts, 2, "{}", imported.text);
    for name in ["${OPENAI_API_KEY}", "${OPENAI_API_KEY_2}"] {
        assert!(imported.text.contains(name), "{}", imported.text);
    }
    assert!(!imported.text.contains("sk-"), "{}", imported.text);
}
