//! Settings: where they come from, what is refused, and their documentation.

use std::path::{Path, PathBuf};

use xiangxun::commands::config::documentation;
use xiangxun::config::{Config, Reading, SETTINGS};
use xiangxun::mail::servers::{MailServer, MailServers};

/// Reads a settings file of this text with these variables.
fn read(text: &str, variables: &[(&str, &str)]) -> Reading {
    let file = std::env::temp_dir().join(format!("xiangxun-settings-{:016x}.toml", rand::random::<u64>()));
    std::fs::write(&file, text).unwrap();
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let reading = Reading::of(&file, variables);
    std::fs::remove_file(&file).unwrap();
    reading
}

/// What is wrong, a line each, without the file's name.
fn refusal(text: &str, variables: &[(&str, &str)]) -> String {
    let problems = read(text, variables).problems;
    assert!(!problems.is_empty(), "the settings are refused");
    problems.join("\n")
}

#[test]
fn without_file_and_variables_the_defaults_are_sound() {
    let Reading { config, problems } =
        Reading::of(Path::new("/nonexistent/xiangxun.toml"), std::iter::empty());
    assert_eq!(problems, Vec::<String>::new());
    assert_eq!(config.listen, "127.0.0.1:3000");
    assert_eq!(config.database_url(), "sqlite://data/xiangxun.sqlite");
    assert_eq!(config.problems(), Vec::<String>::new());
}

#[test]
fn variables_win_over_the_file_and_are_read_as_their_settings_type() {
    let Reading { config, problems } = read(
        "listen = \"127.0.0.1:1\"\nsite_name = \"文件\"\ndatabase_pool = 3",
        &[
            ("XIANGXUN_SITE_NAME", "2026"),
            ("XIANGXUN_DATABASE_POOL", "5"),
            ("XIANGXUN_DATA", "/srv/news"),
            ("XIANGXUN_TRUST_PROXY", "yes"),
            ("XIANGXUN_TEST_POSTGRES_URL", "for the tests alone"),
        ],
    );
    assert_eq!(problems, Vec::<String>::new());
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
    // Nothing is too far from all others to be told the nearest, and spelling by another custom is seen through.
    for (key, nearest) in [
        ("zzz", "the nearest is `"),
        ("Data-Base-URL", "did you mean `database_url`?"),
        ("端口", "the nearest is `"),
    ] {
        let words = refusal(&format!("\"{key}\" = 1"), &[]);
        assert!(words.contains(&format!("unknown setting `{key}`; {nearest}")), "{words}");
    }
    let words = refusal("", &[("XIANGXUN_QQQ", "1")]);
    assert!(words.contains("unknown variable `XIANGXUN_QQQ`; the nearest is `XIANGXUN_"), "{words}");
}

#[test]
fn a_value_of_the_wrong_type_is_refused_by_name_in_plain_words() {
    let words = refusal("", &[("XIANGXUN_DATABASE_POOL", "many"), ("XIANGXUN_OPEN_ACCOUNTS", "maybe")]);
    assert!(
        words.contains("XIANGXUN_DATABASE_POOL must be a whole number from 0 to 4294967295, and is `many`"),
        "{words}"
    );
    assert!(words.contains("XIANGXUN_OPEN_ACCOUNTS must be true or false, and is `maybe`"), "{words}");
    for (line, told) in [
        (
            "database_pool = \"many\"",
            "`database_pool` must be a whole number from 0 to 4294967295, and is the text \"many\"",
        ),
        ("database_pool = -1", "`database_pool` must be a whole number from 0 to 4294967295, and is -1"),
        ("database_pool = 2.5", "`database_pool` must be a whole number from 0 to 4294967295, and is 2.5"),
        ("listen = 3000", "`listen` must be a text in quotes, and is 3000"),
        ("listen = [\"127.0.0.1:1\"]", "`listen` must be a text in quotes, and is a list"),
        ("data = true", "`data` must be a path in quotes, and is true"),
        ("[trust_proxy]\nyes = 1", "`trust_proxy` must be true or false, and is a table"),
        ("open_accounts = \"no\"", "`open_accounts` must be true or false, and is the text \"no\""),
    ] {
        let words = refusal(line, &[]);
        assert!(words.ends_with(told) && words.lines().count() == 1, "{words}");
    }
    let words = refusal("smtp_url = smtps://news:secret@mail.example", &[]);
    assert!(
        words.contains("is not TOML") && words.contains("line 1") && !words.contains("secret"),
        "{words}"
    );
}

#[test]
fn mail_servers_are_a_list_in_the_file_or_in_a_variable() {
    let text = "[[mail_servers]]\nname = \"one\"\nurl = \"smtps://me:secret@a.example\"\nweight = 3\n\
                [[mail_servers]]\nname = \"two\"\nurl = \"smtp://b.example\"\nrank = 2\ncaps = \"all=5/1h\"";
    let Reading { config, problems } = read(text, &[]);
    assert_eq!((problems, config.problems()), (Vec::new(), Vec::new()));
    let servers: Vec<_> =
        config.servers().iter().map(|one| (one.name.clone(), one.rank, one.weight)).collect();
    assert_eq!(servers, [("one".to_owned(), 1, 3), ("two".to_owned(), 2, 1)]);
    let one = "[{ name = \"one\", url = \"smtp://a.example\" }]";
    let Reading { config, problems } = read(text, &[("XIANGXUN_MAIL_SERVERS", one)]);
    assert_eq!((problems, config.servers().len()), (Vec::new(), 1), "a variable stands for the whole list");
    for (list, told) in [
        ("[[mail_servers]]\nname = \"one\"\nurl = \"smtp://secret@a\"\nwieght = 3", "unknown key `wieght`"),
        ("[[mail_servers]]\nurl = \"smtp://secret@a\"", "a server in it has no name"),
        ("[[mail_servers]]\nname = \"one\"\nurl = 5\ncaps = \"secret\"", "is not a string"),
        ("mail_servers = \"smtp://secret@a\"", "must be a list of tables"),
    ] {
        let words = refusal(list, &[]);
        assert!(words.contains(told) && !words.contains("secret"), "{words}");
    }
    let words = refusal("", &[("XIANGXUN_MAIL_SERVERS", "[{ url = \"smtp://me:secret@a\" }]")]);
    assert!(words.contains("must be a list of tables") && !words.contains("secret"), "{words}");
}

#[test]
fn mail_servers_that_make_no_sense_are_named() {
    let server = |change: fn(&mut MailServer)| {
        let mut server =
            MailServer { name: "one".into(), ..MailServer::only("smtp://me:secret@mail.example") };
        change(&mut server);
        server
    };
    let good = server(|_| {});
    for (servers, told) in [
        (vec![server(|one| one.name = "a b".into())], "letters, digits and hyphens"),
        (vec![good.clone(), good.clone()], "two servers are named `one`"),
        (vec![server(|one| one.url = "http://secret".into())], "`one`: its url"),
        (vec![server(|one| one.weight = 0)], "rank and weight"),
        (vec![server(|one| one.caps = "gmail=much".into())], "gmail=much"),
        (vec![server(|one| one.warm_up = "soon".into())], "`soon` is not like"),
        (vec![server(|one| one.accounts = vec!["a b".into()])], "`a b` is not the handle"),
        (vec![server(|one| one.accounts = vec!["metro".into()])], "one server must be without accounts"),
    ] {
        let config = Config { mail_servers: MailServers(servers), ..Config::default() };
        let problems = config.problems().join("\n");
        assert!(problems.contains(told) && !problems.contains("secret"), "{problems}");
    }
    let both = Config {
        mail_servers: MailServers(vec![good]),
        smtp_url: "smtp://mail.example".into(),
        ..Config::default()
    };
    assert!(both.problems().join("\n").contains("in the place of smtp_url"));
}

#[test]
fn what_can_be_read_is_read_beside_what_cannot() {
    let reading = read(
        "lisen = 1\ndatabase_pool = \"many\"\nsite_name = \"海港\"",
        &[("XIANGXUN_TRUST_PROXY", "perhaps"), ("XIANGXUN_LOCALE", "en")],
    );
    assert_eq!(reading.problems.len(), 3, "{:?}", reading.problems);
    assert_eq!((reading.config.site_name.as_str(), reading.config.locale.as_str()), ("海港", "en"));
    assert_eq!(reading.config.database_pool, Config::default().database_pool);
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
