//! Settings: where they come from, what is refused, and their documentation.

use std::path::{Path, PathBuf};

use xiangxun::commands::config::documentation;
use xiangxun::config::{Config, SETTINGS};

/// Reads a settings file of this text with these variables.
fn read(text: &str, variables: &[(&str, &str)]) -> anyhow::Result<Config> {
    let file = std::env::temp_dir().join(format!("xiangxun-settings-{:016x}.toml", rand::random::<u64>()));
    std::fs::write(&file, text).unwrap();
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let config = Config::read(&file, variables);
    std::fs::remove_file(&file).unwrap();
    config
}

fn refusal(text: &str, variables: &[(&str, &str)]) -> String {
    read(text, variables).expect_err("the settings are refused").to_string()
}

#[test]
fn without_file_and_variables_the_defaults_are_sound() {
    let config = Config::read(Path::new("/nonexistent/xiangxun.toml"), std::iter::empty()).unwrap();
    assert_eq!(config.listen, "127.0.0.1:3000");
    assert_eq!(config.database_url(), "sqlite://data/xiangxun.sqlite");
    assert_eq!(config.problems(), Vec::<String>::new());
}

#[test]
fn variables_win_over_the_file_and_are_read_as_their_settings_type() {
    let config = read(
        "listen = \"127.0.0.1:1\"\nsite_name = \"文件\"\ndatabase_pool = 3",
        &[
            ("XIANGXUN_SITE_NAME", "2026"),
            ("XIANGXUN_DATABASE_POOL", "5"),
            ("XIANGXUN_DATA", "/srv/news"),
            ("XIANGXUN_TRUST_PROXY", "yes"),
            ("XIANGXUN_TEST_POSTGRES_URL", "for the tests alone"),
        ],
    )
    .unwrap();
    assert_eq!(config.listen, "127.0.0.1:1");
    assert_eq!(config.site_name, "2026");
    assert_eq!(config.database_pool, 5);
    assert_eq!(config.data, PathBuf::from("/srv/news"));
    assert!(config.trust_proxy);
}

#[test]
fn an_unknown_key_or_variable_is_refused_and_the_nearest_valid_one_named() {
    let words = refusal("lisen = \"127.0.0.1:1\"", &[("XIANGXUN_DATABSE_URL", "sqlite://x")]);
    assert!(words.contains("unknown setting `lisen`; did you mean `listen`?"), "{words}");
    assert!(
        words.contains("unknown variable `XIANGXUN_DATABSE_URL`; did you mean `XIANGXUN_DATABASE_URL`?"),
        "{words}"
    );
    let words = refusal("zzz = 1", &[]);
    assert!(words.contains("unknown setting `zzz`") && !words.contains("did you mean"), "{words}");
}

#[test]
fn a_value_of_the_wrong_type_is_refused_by_name() {
    let words = refusal("", &[("XIANGXUN_DATABASE_POOL", "many"), ("XIANGXUN_OPEN_ACCOUNTS", "maybe")]);
    assert!(words.contains("XIANGXUN_DATABASE_POOL: expected a whole number, found `many`"), "{words}");
    assert!(words.contains("XIANGXUN_OPEN_ACCOUNTS: expected true or false, found `maybe`"), "{words}");
    let words = refusal("database_pool = \"many\"", &[]);
    assert!(words.contains("database_pool"), "{words}");
    let words = refusal("listen = ", &[]);
    assert!(words.contains("is not TOML"), "{words}");
}

#[test]
fn values_that_make_no_sense_are_each_named() {
    let config = Config {
        listen: "nowhere".into(),
        base_url: "https://news.example/path".into(),
        database_url: "mysql://localhost/x".into(),
        timezone: "Peking".into(),
        locale: "fr".into(),
        mail_from: "nobody".into(),
        log_format: "xml".into(),
        ..Config::default()
    };
    let problems = config.problems().join("\n");
    for name in ["listen", "base_url", "database_url", "timezone", "locale", "mail_from", "log_format"] {
        assert!(
            problems.contains(&format!("{name} (XIANGXUN_{}): ", name.to_uppercase())),
            "{name}: {problems}"
        );
    }
}

#[test]
fn every_setting_is_documented_in_the_manual_as_config_docs_prints_it() {
    let table = documentation();
    assert_eq!(
        table.matches("`XIANGXUN_").count(),
        SETTINGS.len() + 1,
        "each once, and the file's own variable"
    );
    let manual = std::fs::read_to_string("docs/operate.md").unwrap();
    assert!(
        manual.contains(&table),
        "docs/operate.md holds another table than `xiangxun config docs`:\n{table}"
    );
}
